#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Bytes that nobody is to see: a key, a password. In pages of their own, which are locked into memory, left out of core
/// dumps and not handed to children, and zeroed when nobody has them any more.
///
/// It prints as nothing, and has no encoding: what is to travel is copied out by whoever sends it.
package final class SecretBytes: Sendable {
    package let count: Int
    // Written in `init` alone and only read until `deinit`, whoever has it.
    nonisolated(unsafe) private let pages: UnsafeMutableRawBufferPointer
    /// False where the system allows the process no more locked memory (RLIMIT_MEMLOCK).
    package let isLocked: Bool
    /// Sees the pages when they have been zeroed: for the test of it.
    private let beforeRelease: (@Sendable (UnsafeRawBufferPointer) -> Void)?

    /// - Parameters:
    ///   - beforeRelease: sees the memory when it has been zeroed and before it is given back.
    ///   - fill: gets `count` zero bytes to write into.
    package init<Failure: Error>(
        count: Int, beforeRelease: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil,
        _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        self.count = count
        self.beforeRelease = beforeRelease
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let length = max(1, (count + page - 1) / page) * page
        let address = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address, address != MAP_FAILED else { preconditionFailure("no memory for a secret") }
        pages = UnsafeMutableRawBufferPointer(start: address, count: length)
        isLocked = mlock(address, length) == 0
        // MADV_DONTDUMP.
        madvise(address, length, 16)
        try fill(UnsafeMutableRawBufferPointer(rebasing: pages[..<count]))
    }

    package convenience init(
        _ bytes: some Collection<UInt8>, beforeRelease: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil
    ) {
        self.init(count: bytes.count, beforeRelease: beforeRelease) { $0.copyBytes(from: bytes) }
    }

    deinit {
        guard let address = pages.baseAddress else { return }
        explicit_bzero(address, pages.count)
        beforeRelease?(UnsafeRawBufferPointer(pages))
        munmap(address, pages.count)
    }

    package func withBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(UnsafeRawBufferPointer(rebasing: pages[..<count]))
    }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretBytes {
    /// Whether both are the same, found out in a time that does not tell where they differ.
    package func isSame(as other: SecretBytes) -> Bool {
        guard count == other.count else { return false }
        return withBytes { mine in
            other.withBytes { theirs in zip(mine, theirs).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0 }
        }
    }
}
