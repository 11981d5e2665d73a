internal import CLinux
internal import Glibc
internal import Logging
internal import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

/// Registry hives are read by a process of their own, bounded in memory and time: a hive that brings libhivex down, or keeps
/// it busy, costs what would be known of one machine, and not the agent that works on sixteen.
package enum RegistryReading {
    /// Followed by the directory where the volume is mounted.
    private static let readWindows = "--read-registry"
    private static let readBoot = "--read-boot-configuration"
    /// With a HiveTask on standard input.
    private static let makeHive = "--make-hive"
    private static let addressBytes: UInt64 = 4 << 30
    private static let processorSeconds: UInt64 = 120
    /// What one installation's facts can take.
    fileprivate static let outputLimit = 1 << 16
    private static let taskLimit = 1 << 21
    private static let mostChanges = 64

    /// What this process is to do where it was started as one that reads hives.
    /// - Returns: its exit code; nil where it was started for something else.
    package static func run(_ arguments: [String]) -> Int32? {
        guard arguments.count == 2, [readWindows, readBoot, makeHive].contains(arguments[0]) else { return nil }
        guard salvor_no_new_privileges() == 0, salvor_limit(addressBytes, processorSeconds) == 0,
            salvor_filter_system_calls() == 0
        else { return 71 }
        guard let directory = try? Descriptor.open(arguments[1], salvor_path_only | O_DIRECTORY | O_NOFOLLOW) else {
            return 66
        }
        let tree = VolumeTree(root: directory.number)
        guard arguments[0] == makeHive else {
            return answer(RegistryFacts(tree: tree).read(isWindows: arguments[0] == readWindows))
        }
        guard let input = contents(ofFile: "/proc/self/fd/0", limit: taskLimit),
            let task = try? Salvor_V1_HiveTask(serializedBytes: input)
        else { return 65 }
        let path = task.path.compactMap { FileName(bytes: Array($0)) }
        do {
            let work = HiveWork(hive: HiveOnDisk(tree: tree, path: path))
            guard let made = try work.make(task.content) else { return answer(Salvor_V1_HiveResult()) }
            let result = Salvor_V1_HiveResult.with {
                $0.changes = made.changes.prefix(mostChanges).map { printable($0.utf8) }
            }
            return answer(result, followedBy: made.bytes)
        } catch {
            let why = (error as? AgentError)?.message ?? "\(error)"
            return answer(Salvor_V1_HiveResult.with { $0.problem = printable(why.utf8) })
        }
    }

    fileprivate static func arguments(isWindows: Bool, below mountPoint: String) -> [String] {
        [isWindows ? readWindows : readBoot, mountPoint]
    }

    private static func answer(_ facts: Salvor_V1_WindowsFacts) -> Int32 {
        guard let bytes: [UInt8] = try? facts.serializedBytes() else { return 70 }
        return write(bytes)
    }

    /// Four bytes of length, the first the lowest, in front of the message.
    private static func answer(_ result: Salvor_V1_HiveResult, followedBy hive: [UInt8] = []) -> Int32 {
        guard let bytes: [UInt8] = try? result.serializedBytes() else { return 70 }
        let ended = write(littleEndian(UInt64(bytes.count), 4) + bytes)
        return ended == 0 ? write(hive) : ended
    }

    private static func write(_ bytes: [UInt8]) -> Int32 {
        let output = Descriptor(owning: dup(STDOUT_FILENO))
        do throws(AgentError) {
            try output.write(bytes[...], to: "standard output")
            return 0
        } catch {
            return 74
        }
    }

    /// What the process was asked, and where its answer goes.
    static func makeHive(
        _ task: Salvor_V1_HiveTask, by reader: String, below mountPoint: String
    ) async throws(AgentError) -> (result: Salvor_V1_HiveResult, content: PreparedContent?) {
        let output = try MemoryFile()
        let exit: Int32?
        do {
            exit = try await runTool(
                reader, [makeHive, mountPoint], input: try task.serializedBytes(), output: output.descriptor,
                timeout: .seconds(Int64(processorSeconds)))
        } catch {
            throw toolError(reader, error)
        }
        let name = "the answer of \(makeHive)"
        return try await Blocking.run { () throws(AgentError) in
            guard exit == 0, let head = output.descriptor.bytes(at: 0, count: 4), head.count == 4,
                let bytes = output.descriptor.bytes(at: 4, count: Int(littleEndian(head))),
                let result = try? Salvor_V1_HiveResult(serializedBytes: bytes)
            else {
                let how = exit.map { "exit \($0)" } ?? "a signal"
                throw AgentError(
                    .toolFailed, "The process that edits registry hives ended with \(how).",
                    next: "The hive is damaged in a way that libhivex does not bear. Restore a backup of the machine.")
            }
            let start = UInt64(4 + bytes.count)
            guard try output.descriptor.size(of: name) > start else { return (result, nil) }
            return (result, try PreparedContent(output, from: start, changes: result.changes))
        }
    }
}

extension VolumeMounter {
    /// What is known of the Windows on a mounted volume. Not knowing is no reason not to repair it: it is told as a problem.
    /// - Parameter isWindows: false for an EFI system partition.
    func facts(of volume: MountedVolume, isWindows: Bool = true) async -> Salvor_V1_WindowsFacts {
        guard let reader = tools.registryReader else {
            return .with { $0.problem = "This agent reads no registry." }
        }
        do throws(AgentError) {
            let result = try await runTool(
                reader, RegistryReading.arguments(isWindows: isWindows, below: volume.mountPoint),
                timeout: .seconds(120),
                outputLimit: RegistryReading.outputLimit)
            guard result.exitCode == 0, let facts = try? Salvor_V1_WindowsFacts(serializedBytes: result.output),
                !facts.hives.isEmpty || !isWindows
            else {
                let how = result.exitCode.map { "exit \($0)" } ?? "a signal"
                return .with { $0.problem = "The registry could not be read: its reader ended with \(how)." }
            }
            return facts
        } catch {
            logger.warning("registry not read", metadata: ["device": "\(volume.device)", "error": "\(error)"])
            return .with { $0.problem = "The registry could not be read: \(error.message)" }
        }
    }
}
