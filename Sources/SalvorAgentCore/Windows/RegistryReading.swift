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
    package static let argument = "--read-registry"
    private static let addressBytes: UInt64 = 4 << 30
    private static let processorSeconds: UInt64 = 120
    /// What one installation's facts can take.
    fileprivate static let outputLimit = 1 << 16

    /// The process: reads below `root`, and writes facts to standard output.
    /// - Returns: its exit code.
    package static func run(root: String) -> Int32 {
        guard salvor_no_new_privileges() == 0, salvor_limit(addressBytes, processorSeconds) == 0,
            salvor_filter_system_calls() == 0
        else { return 71 }
        guard let directory = try? Descriptor.open(root, salvor_path_only | O_DIRECTORY | O_NOFOLLOW) else { return 66 }
        let facts = RegistryFacts(tree: VolumeTree(root: directory.number)).read()
        guard let bytes: [UInt8] = try? facts.serializedBytes() else { return 70 }
        return bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) } == bytes.count ? 0 : 74
    }
}

extension VolumeMounter {
    /// What is known of the Windows on a mounted volume. Not knowing is no reason not to repair it: it is told as a problem.
    func facts(of volume: MountedVolume) async -> Salvor_V1_WindowsFacts {
        guard let reader = tools.registryReader else {
            return .with { $0.problem = "This agent reads no registry." }
        }
        do throws(AgentError) {
            let result = try await runTool(
                reader, [RegistryReading.argument, volume.mountPoint], timeout: .seconds(120),
                outputLimit: RegistryReading.outputLimit)
            guard result.exitCode == 0, let facts = try? Salvor_V1_WindowsFacts(serializedBytes: result.output),
                !facts.hives.isEmpty
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
