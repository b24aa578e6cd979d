/// A gzip file (RFC 1952): one or more streams, one behind the other. zlib checks lengths and check sums.
struct GzipStream {
    let name: String
    let bytes: [UInt8]

    func content(limit: Int) throws(MasterError) -> [UInt8] {
        do throws(Inflation.Failure) {
            var output: [UInt8] = []
            var at = 0
            repeat {
                at += try Self.stream(bytes, from: at, limit: limit, into: &output)
                // Some servers fill the last block with zeros.
                while at < bytes.count, bytes[at] == 0 { at += 1 }
            } while at < bytes.count
            return output
        } catch {
            throw Inflation.sentence(error, name, limit: limit)
        }
    }

    private static func stream(
        _ bytes: [UInt8], from start: Int, limit: Int, into output: inout [UInt8]
    ) throws(Inflation.Failure) -> Int {
        // Closures lose the error's type.
        let result: Result<Int, Inflation.Failure> = bytes.withUnsafeBytes { all in
            do throws(Inflation.Failure) {
                return .success(
                    try Inflation.inflate(
                        UnsafeRawBufferPointer(rebasing: all[start...]), .gzip, limit: limit, into: &output))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
