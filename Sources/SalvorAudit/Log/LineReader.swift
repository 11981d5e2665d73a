#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Reads a descriptor line by line from its beginning, whatever its file offset.
struct LineReader {
    enum Line {
        /// Without its line feed.
        case whole(ArraySlice<UInt8>)
        /// The bytes after the last line feed.
        case unfinished(ArraySlice<UInt8>)
        /// Longer than the limit; the rest was not read.
        case tooLong
    }

    private let descriptor: Int32
    private let limit: Int
    private var offset: off_t = 0
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    init(descriptor: Int32, limit: Int) {
        self.descriptor = descriptor
        self.limit = limit
    }

    /// - Returns: nil at the end.
    mutating func next() throws(SystemFailure) -> Line? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return .whole(buffer[start..<end])
            }
            if buffer.count - start > limit { return .tooLong }
            searched = buffer.count - start
            buffer.removeFirst(start)
            start = 0
            if isAtEnd {
                guard !buffer.isEmpty else { return nil }
                defer { start = buffer.count }
                return .unfinished(buffer[...])
            }
            try fill()
        }
    }

    private mutating func fill() throws(SystemFailure) {
        let size = 1 << 16
        var chunk = [UInt8](repeating: 0, count: size)
        var count: Int
        repeat {
            count = chunk.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, size, offset) }
        } while count < 0 && errno == EINTR
        guard count >= 0 else { throw SystemFailure(call: "read", errno: errno) }
        isAtEnd = count == 0
        offset += off_t(count)
        buffer += chunk[..<count]
    }
}
