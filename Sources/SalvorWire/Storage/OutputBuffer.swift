/// Encoded frames that wait to be sent.
struct OutputBuffer: Sendable {
    /// Frames are appended here; what is before `head` has been sent.
    var bytes: [UInt8] = []
    private var head = 0

    var count: Int { bytes.count - head }
    var isEmpty: Bool { count == 0 }

    /// Moves as much as fits; says how much that was.
    mutating func move(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let moved = min(count, buffer.count)
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[head..<head + moved])) }
        head += moved
        if isEmpty {
            bytes.removeAll(keepingCapacity: bytes.count <= 64 << 10)
            head = 0
        } else if head >= 64 << 10 {
            bytes.removeFirst(head)
            head = 0
        }
        return moved
    }

    mutating func removeAll() {
        bytes.removeAll()
        head = 0
    }
}
