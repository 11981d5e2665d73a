internal import SalvorSystem
package import SystemPackage

/// What a guest prints on its serial port, as a file that QEMU writes and that outlives the machine.
package struct SerialConsole: Hashable, Sendable {
    package let file: FilePath
    /// What is read at a time, and so what is held at most beside one line.
    private static let chunk = 1 << 16

    package init(file: FilePath) { self.file = file }

    /// The last lines, printable and bounded, an unfinished one included.
    package func lastLines(_ count: Int) async -> [String] {
        let bytes = await Blocking.run { PosixFile.tail(file, limit: Self.chunk) }
        var scanner = ConsoleScanner()
        var lines = scanner.append(bytes)
        if !scanner.partial.isEmpty { lines.append(scanner.partial) }
        return Array(lines.filter { !$0.isEmpty }.suffix(count))
    }

    /// Waits for a line that `matches`; a prompt, which has no end of line, counts as well.
    ///
    /// Starts at the beginning of the console, so nothing is missed between the machine's start and this call.
    /// - Returns: the line; nil when the task was cancelled first.
    package func firstLine(where matches: @escaping @Sendable (String) -> Bool) async throws(QEMUError) -> String? {
        var scanner = ConsoleScanner()
        var offset: Int64 = 0
        for await _ in try FileWatch.changes(of: file) {
            while true {
                let start = offset
                let bytes = await Blocking.run { read(from: start) }
                if bytes.isEmpty { break }
                offset += Int64(bytes.count)
                if let line = scanner.append(bytes).first(where: matches) { return line }
            }
            let partial = scanner.partial
            if matches(partial) { return partial }
        }
        return nil
    }

    private func read(from offset: Int64) -> [UInt8] {
        guard let descriptor = try? FileDescriptor.open(file, .readOnly, options: [.closeOnExec]) else { return [] }
        defer { try? descriptor.close() }
        return
            (try? [UInt8](unsafeUninitializedCapacity: Self.chunk) { buffer, count in
                count = try descriptor.read(fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(buffer))
            }) ?? []
    }
}
