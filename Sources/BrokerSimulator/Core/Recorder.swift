import Foundation
import MarketData
import NIOCore

/// Writes every frame that is sent into a file, one JSON object a line: `{"t":…,"conn":1,"opcode":2,"hex":"…"}`, where
/// `t` is ns since the Unix epoch. Confined to the simulation's event loop, and buffered: complete after ``close()``.
final class Recorder {
    private let file: FileHandle
    private var waiting = ByteBuffer()
    private static let digits = Array("0123456789abcdef".utf8)

    /// - Throws: When the file cannot be made.
    init(path: String) throws(SimulatorError) {
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else {
            throw SimulatorError(
                "Cannot write the recording \(path): check that its folder exists and may be written to.")
        }
        self.file = file
    }

    func record(connection: Int, opcode: FrameBytes.Opcode, payload: ByteBuffer) {
        waiting.writeString(
            "{\"t\":\(WallClock.now()),\"conn\":\(connection),\"opcode\":\(opcode.rawValue),\"hex\":\"")
        for byte in payload.readableBytesView {
            waiting.writeInteger(Self.digits[Int(byte >> 4)])
            waiting.writeInteger(Self.digits[Int(byte & 15)])
        }
        waiting.writeString("\"}\n")
        if waiting.readableBytes > 256 << 10 { flush() }
    }

    func flush() {
        guard waiting.readableBytes > 0 else { return }
        try? file.write(contentsOf: Data(waiting.readableBytesView))
        waiting.clear()
    }

    func close() {
        flush()
        try? file.close()
    }
}
