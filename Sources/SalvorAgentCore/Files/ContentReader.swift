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
        let count = try file.read(into: &buffer, of: name)
        hasEnded = count < buffer.count
        return count > 0 ? buffer[..<count] : nil
    }
}
