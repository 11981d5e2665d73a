/// A file's bytes in chunks of 256 KiB, in one buffer. Blocking.
struct ContentReader: ~Copyable {
    static let chunkBytes = 1 << 18

    private let file: Descriptor
    private let name: String
    private var buffer = [UInt8](repeating: 0, count: chunkBytes)
    private var hasEnded = false

    init(_ file: consuming Descriptor, name: String) {
        self.file = file
        self.name = name
    }

    /// - Returns: nil at the end of the file.
    mutating func next() throws(AgentError) -> ArraySlice<UInt8>? {
        guard !hasEnded else { return nil }
        let result: Result<Int, AgentError> = buffer.withUnsafeMutableBytes { bytes in
            do throws(AgentError) {
                return .success(try file.read(into: bytes, of: name))
            } catch {
                return .failure(error)
            }
        }
        let count = try result.get()
        hasEnded = count < buffer.count
        return count > 0 ? buffer[..<count] : nil
    }
}
