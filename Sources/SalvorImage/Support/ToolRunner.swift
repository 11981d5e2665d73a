package import SystemPackage
internal import Subprocess

/// Runs other programs by argument vector, never by a shell.
package struct ToolRunner: Sendable {
    /// Folders that are searched for programs, in order. The `sbin` folders count although they are on no ordinary
    /// user's `PATH`: Debian keeps `mkntfs`, `mkfs.fat` and `blkid` there.
    package var searchPath: [FilePath]
    /// Set over the environment that this process has itself.
    package var environment: [String: String]

    package init(searchPath: [FilePath]? = nil, environment: [String: String] = [:]) {
        let inherited = Posix.environment("PATH") ?? ""
        self.searchPath =
            searchPath
            ?? inherited.split(separator: ":").map { FilePath(String($0)) }
            + ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        self.environment = environment
    }

    /// What a program wrote, and how it ended.
    package struct Result: Sendable {
        package let output: [UInt8]
        package let errors: String
        /// Exit status; 128 and the signal's number for a program that a signal ended, as in a shell.
        package let status: Int32

        package var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Debian's name of the package that a program comes in, where it is not the program's own.
    private static let packages = [
        "apt-get": "apt", "apt-cache": "apt", "dpkg-deb": "dpkg", "mformat": "mtools", "mcopy": "mtools",
        "mmd": "mtools", "strip": "binutils", "qemu-img": "qemu-utils", "mkntfs": "ntfs-3g", "setfattr": "attr",
        "getfattr": "attr", "dd": "coreutils", "sh": "dash",
    ]

    /// Where `tool` is.
    package func find(_ tool: String) throws(ImageError) -> FilePath {
        for folder in searchPath {
            let candidate = folder.appending(tool)
            if Posix.isExecutableFile(candidate) { return candidate }
        }
        throw ImageError(
            .toolMissing, "\(tool) is not installed",
            nextStep: "Install it (apt-get install \(Self.packages[tool] ?? tool)) and try again")
    }

    /// Runs `tool` to its end, whatever its exit status is.
    /// - Parameter outputLimit: more output than this many bytes is a failure.
    package func result(
        _ tool: String, _ arguments: [String], in directory: FilePath? = nil, input: [UInt8] = [],
        outputLimit: Int = 16 << 20
    ) async throws(ImageError) -> Result {
        let executable = try find(tool)
        var changes: [Environment.Key: String?] = ["LC_ALL": "C.UTF-8"]
        for (name, value) in environment { changes[.init(stringLiteral: name)] = value }
        do {
            let result = try await run(
                .path(executable), arguments: Arguments(arguments), environment: .inherit.updating(changes),
                workingDirectory: directory, input: .array(input), output: .bytes(limit: outputLimit),
                error: .string(limit: 1 << 20))
            let status: Int32 =
                switch result.terminationStatus {
                case .exited(let code): code
                case .signaled(let signal): 128 + signal
                }
            return Result(output: result.standardOutput, errors: result.standardError, status: status)
        } catch is CancellationError {
            throw ImageError(.cancelled, "\(tool) was cancelled", nextStep: "Try again")
        } catch {
            throw ImageError(
                .toolFailed, "\(tool) could not be run: \(error)", nextStep: "Run \(executable) by hand to see why",
                cause: error)
        }
    }

    /// Runs `tool` to its end and gives what it wrote; an exit status other than 0 is an error.
    @discardableResult
    package func output(
        _ tool: String, _ arguments: [String], in directory: FilePath? = nil, input: [UInt8] = [],
        outputLimit: Int = 16 << 20
    ) async throws(ImageError) -> [UInt8] {
        let result = try await result(tool, arguments, in: directory, input: input, outputLimit: outputLimit)
        guard result.status == 0 else { throw Self.failure(of: tool, arguments, result) }
        return result.output
    }

    /// The error for a program that ended with a status other than 0.
    package static func failure(of tool: String, _ arguments: [String], _ result: Result) -> ImageError {
        let reason = result.errors.split(separator: "\n").suffix(4).joined(separator: "; ")
        if reason.contains("No space left on device") {
            return ImageError(
                .diskFull, "\(tool) found no space left: \(reason)",
                nextStep: "Make room on that file system and try again")
        }
        return ImageError(
            .toolFailed, "\(tool) \(arguments.first ?? "") ended with status \(result.status): \(reason)",
            nextStep: "Read what it says, mend that and try again")
    }
}
