internal import Subprocess
internal import SystemPackage

/// The programs that the agent runs, as absolute paths or as names looked up in ``searchPath``.
package struct AgentTools: Sendable {
    package var blkid: String
    package var ntfs3g: String
    package var ntfs3gProbe: String
    package var ntfsfix = "ntfsfix"
    package var modprobe = "modprobe"
    package var ldmtool = "ldmtool"
    /// A program that reads registry hives when it is started as ``RegistryReading`` says; nil where none does, and nothing
    /// is known of a Windows then but its files.
    package var registryReader: String?

    /// A program that runs another as ``Confinement`` says; nil where what reads disks runs as the agent does.
    package var confiner: String?

    /// How a tool is started that reads what is on a disk.
    func confined(_ tool: String, _ arguments: [String]) -> (tool: String, arguments: [String]) {
        guard let confiner else { return (tool, arguments) }
        return (confiner, [Confinement.argument, tool] + arguments)
    }

    /// ``runTool(_:_:timeout:outputLimit:)`` for a tool that reads what is on a disk.
    func runConfined(
        _ tool: String, _ arguments: [String], timeout: Duration = .seconds(60), outputLimit: Int = 1 << 16
    ) async throws(AgentError) -> ToolResult {
        let command = confined(tool, arguments)
        let result = try await runTool(
            command.tool, command.arguments, timeout: timeout, outputLimit: outputLimit)
        // The confining program is there, and what it was to run is not.
        if confiner != nil, result.exitCode == Confinement.notFound { throw missingTool(tool) }
        return result
    }

    /// Where Debian keeps them.
    package static let searchPath = "/usr/sbin:/usr/bin:/sbin:/bin"

    package init(blkid: String = "blkid", ntfs3g: String = "ntfs-3g", ntfs3gProbe: String = "ntfs-3g.probe") {
        self.blkid = blkid
        self.ntfs3g = ntfs3g
        self.ntfs3gProbe = ntfs3gProbe
    }
}

/// How a tool ended, and what it said.
struct ToolResult: Sendable {
    /// nil when a signal ended it.
    let exitCode: Int32?
    let output: [UInt8]
    let errorOutput: [UInt8]

    /// What it wrote to standard error, made safe to show: one line, no control characters.
    var complaint: String { printable(errorOutput) }
}

/// Runs a tool to its end: an argument vector and no shell, no input, an environment of ours, bounded output and time.
///
/// - Throws: ``AgentError/Code/toolMissing``, ``AgentError/Code/toolTimedOut`` (it was killed), or
///   ``AgentError/Code/toolFailed`` when it could not be started or wrote more than `outputLimit` bytes. An exit code
///   is a result.
func runTool(
    _ name: String, _ arguments: [String], timeout: Duration = .seconds(60), outputLimit: Int = 1 << 16
) async throws(AgentError) -> ToolResult {
    try await withTimeout(timeout, name) {
        let result = try await Subprocess.run(
            toolExecutable(name), arguments: Arguments(arguments), environment: toolEnvironment,
            output: .bytes(limit: outputLimit), error: .bytes(limit: outputLimit))
        return ToolResult(
            exitCode: exitCode(of: result.terminationStatus), output: result.standardOutput,
            errorOutput: result.standardError)
    }
}

/// The same for a tool that is given `input` and writes to a file of ours; what it complains of is dropped.
/// - Returns: its exit code; nil when a signal ended it.
func runTool(
    _ name: String, _ arguments: [String], input: [UInt8], output: borrowing Descriptor, timeout: Duration
) async throws(AgentError) -> Int32? {
    let file = FileDescriptor(rawValue: output.number)
    return try await withTimeout(timeout, name) {
        let result = try await Subprocess.run(
            toolExecutable(name), arguments: Arguments(arguments), environment: toolEnvironment, input: .array(input),
            output: .fileDescriptor(file, closeAfterSpawningProcess: false), error: .discarded)
        return exitCode(of: result.terminationStatus)
    }
}

private func withTimeout<Value: Sendable>(
    _ timeout: Duration, _ name: String, _ run: @escaping @Sendable () async throws -> Value
) async throws(AgentError) -> Value {
    do {
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await run() }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else {
                throw AgentError(
                    .toolTimedOut, "\(name) did not end within \(timeout) and was killed.",
                    next: "Try again; if it stays so, the disk or the rescue VM is too slow or damaged.")
            }
            return result
        }
    } catch {
        throw toolError(name, error)
    }
}

/// No locale: what tools print is then ASCII with everything else escaped, whatever a disk's labels hold.
let toolEnvironment = Environment.custom(["PATH": AgentTools.searchPath, "LC_ALL": "C"])

func toolExecutable(_ name: String) -> Executable {
    name.utf8.contains(UInt8(ascii: "/")) ? .path(FilePath(name)) : .name(name)
}

func exitCode(of status: TerminationStatus) -> Int32? {
    if case .exited(let code) = status { code } else { nil }
}

private func missingTool(_ name: String, _ cause: (any Error)? = nil) -> AgentError {
    AgentError(
        .toolMissing, "\(name) is not on this rescue VM.", next: "Add its package to the rescue image.", cause: cause)
}

func toolError(_ name: String, _ error: any Error) -> AgentError {
    if let error = error as? AgentError { return error }
    if let error = error as? SubprocessError, error.code == .executableNotFound { return missingTool(name, error) }
    return AgentError(.toolFailed, "\(name) could not be run.", next: "See the agent's log.", cause: error)
}

/// Text from outside made safe for a log line: printable ASCII, line ends as "; ", at most 2000 bytes.
package func printable(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes.prefix(2000) {
        switch byte {
        case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(byte))
        case UInt8(ascii: "\n"): text += "; "
        default: text += "."
        }
    }
    while text.hasSuffix("; ") { text.removeLast(2) }
    return text
}
