internal import SalvorMessages
internal import SalvorRegistry

/// How the machine's boot manager starts Windows, where its hive lies on this volume. Blocking, and to be read in a process
/// of its own alone.
struct BootFacts {
    static let hives = [["EFI", "Microsoft", "Boot", "BCD"], ["Boot", "BCD"]]

    let tree: VolumeTree

    var hasHive: Bool {
        var resolver = PathResolver(tree)
        return Self.hives.contains { (try? resolver.resolve($0)) != nil }
    }

    /// - Returns: unspecified where there is no such hive.
    func safeBoot() -> Salvor_V1_SafeBootState {
        for path in Self.hives {
            var resolver = PathResolver(tree)
            guard let found = try? resolver.resolve(path) else { continue }
            do {
                let onDisk = HiveOnDisk(tree: tree, path: found)
                let hive = try Hive(try HiveFile(try onDisk.bytes(), logs: onDisk.logs()).bytes)
                return switch try BootConfiguration.safeBoot(hive) {
                case .off: .off
                case .minimal: .minimal
                case .network: .network
                case .other: .other
                }
            } catch {
                return .unreadable
            }
        }
        return .unspecified
    }
}
