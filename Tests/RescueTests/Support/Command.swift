import Fixtures
import Subprocess
import SystemPackage

/// How a command ended, and what it said.
struct CommandResult: Sendable {
    /// The exit status; 128 and the signal's number where a signal ended it, as in a shell.
    var status: Int32
    var output: String
    var errors: String
}

/// A command while it runs, for those who watch its progress lines.
struct RunningCommand: Sendable {
    let pid: Int32

    func send(_ signal: Signal) throws {
        // Its exit is waited for by the one who started it, so the number cannot be another's yet.
        try ProcessTable.send(signal, to: pid)
    }
}

/// Runs one program to its end, within a time that is set.
enum Command {
    /// - Parameters:
    ///   - terminal: what it reads from; nil for nothing.
    ///   - onLine: called with each line of standard error as it comes.
    static func run(
        _ program: FilePath, _ arguments: [String], environment: [String: String] = [:], in folder: FilePath? = nil,
        terminal: Terminal? = nil, timeout: Duration,
        onLine: @escaping @Sendable (String, RunningCommand) async throws -> Void = { _, _ in }
    ) async throws -> CommandResult {
        try await withThrowingTaskGroup(of: CommandResult?.self) { group in
            group.addTask {
                try await start(
                    program, arguments, environment: environment, in: folder, terminal: terminal, onLine: onLine)
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() ?? nil else {
                throw FixtureError("\(program) \(arguments) was not done after \(timeout)")
            }
            return result
        }
    }

    private static func start(
        _ program: FilePath, _ arguments: [String], environment: [String: String], in folder: FilePath?,
        terminal: Terminal?, onLine: @Sendable (String, RunningCommand) async throws -> Void
    ) async throws -> CommandResult {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
        var changes: [Environment.Key: String?] = ["LC_ALL": "C.UTF-8"]
        for (name, value) in environment { changes[.init(stringLiteral: name)] = value }
        let input = try FileDescriptor.open(terminal?.path ?? "/dev/null", .readOnly, options: Terminal.noControl)
        let result = try await Subprocess.run(
            .path(program), arguments: Arguments(arguments), environment: .inherit.updating(changes),
            workingDirectory: folder, platformOptions: options,
            input: .fileDescriptor(input, closeAfterSpawningProcess: true), output: .bytes(limit: 16 << 20),
            error: .sequence
        ) { execution in
            let command = RunningCommand(pid: execution.processIdentifier.value)
            var errors = ""
            for try await piece in execution.standardError.strings() {
                let line = String(piece.drop { $0.isNewline }.prefix { !$0.isNewline })
                errors += line + "\n"
                try await onLine(line, command)
            }
            return errors
        }
        let status: Int32 =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): 128 + signal
            }
        return CommandResult(
            status: status, output: String(decoding: result.standardOutput, as: UTF8.self),
            errors: result.closureResult)
    }
}
