import Foundation
import MarketData
import Secrets

/// Overwrites bytes that were a secret, so that they are not found in memory later.
///
/// Only buffers with one owner are reached: a copy that was made before keeps its bytes, and Swift has no way to overwrite the
/// storage of a `String`. So values go from the cipher into a ``MarketData/Secret``, which is wiped at its end, and the master key
/// never becomes a text here, unless it is given as one in the environment.
public enum Wipe {
    public static func zero(_ bytes: inout [UInt8]) { bytes.withUnsafeMutableBytes { $0.wipe() } }

    public static func zero(_ data: inout Data) { data.withUnsafeMutableBytes { $0.wipe() } }
}
