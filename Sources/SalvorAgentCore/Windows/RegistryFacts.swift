internal import Glibc
internal import SalvorMessages
internal import SalvorRegistry
internal import SwiftProtobuf

/// Reads a Windows installation's hives from a mounted volume. Blocking, and nothing to do in the agent's own process: a
/// hive is a file of a disk that nobody vouches for, and libhivex is C. See ``RegistryReading``.
struct RegistryFacts {
    private static let folder = ["Windows", "System32", "config"]
    let tree: VolumeTree

    /// - Parameter isWindows: false for an EFI system partition, which holds no more than the boot manager's hive.
    func read(isWindows: Bool = true) -> Salvor_V1_WindowsFacts {
        guard isWindows else { return .with { $0.safeBoot = BootFacts(tree: tree).safeBoot() } }
        var facts = WindowsFacts()
        var message = Salvor_V1_WindowsFacts()
        var problems: [String] = []
        for name in ["SYSTEM", "SOFTWARE"] {
            var health = Salvor_V1_HiveHealth()
            health.name = name
            do {
                let hive = try open(name, &health)
                if name == "SYSTEM" { facts.readSystem(hive) } else { facts.readSoftware(hive) }
            } catch let error as HiveError {
                health.state = .corrupt
                health.detail = error.description
                problems.append("The hive \(name) cannot be read: \(error)")
            } catch {
                if health.state == .unspecified { health.state = .corrupt }
                let what = (error as? AgentError)?.message ?? "\(error)"
                health.detail = what
                problems.append("The hive \(name) cannot be read: \(what)")
            }
            message.hives.append(health)
        }
        message.set(facts)
        message.safeBoot = BootFacts(tree: tree).safeBoot()
        message.problem = problems.joined(separator: " ")
        return message
    }

    private func open(_ name: String, _ health: inout Salvor_V1_HiveHealth) throws -> Hive {
        var resolver = PathResolver(tree)
        guard let path = try resolver.resolve(Self.folder + [name]) else {
            health.state = .missing
            throw AgentError(.unreadable, "It is not there.", next: "")
        }
        let onDisk = HiveOnDisk(tree: tree, path: path)
        let file = try onDisk.open()
        guard let front = file.bytes(at: 0, count: HiveBaseBlock.byteCount), let base = HiveBaseBlock(front) else {
            throw HiveError("It does not begin as a registry hive.")
        }
        guard base.isDirty else {
            let hive = try Hive(openFile: file.number)
            health.state = .clean
            health.detail = "It was closed."
            return hive
        }
        let whole = try HiveFile(try onDisk.bytes(), logs: onDisk.logs())
        let hive = try Hive(whole.bytes)
        let numbers = "sequence numbers \(whole.primarySequence) and \(whole.secondarySequence)"
        switch whole.health {
        case .clean: health.state = .clean
        case .recovered(let entries):
            health.state = .recovered
            health.detail =
                "It was not closed (\(numbers)); \(entries) entries of its logs were applied in memory. Windows does the same "
                + "when it starts."
        case .unrecovered:
            health.state = .unrecovered
            health.detail = "It was not closed (\(numbers)), and no log has what is missing."
        }
        return hive
    }
}

extension Salvor_V1_WindowsFacts {
    /// Text of the disk's, made safe to show and bounded.
    private static func safe(_ text: String) -> String { printable(text.utf8.prefix(256)) }

    fileprivate mutating func set(_ facts: WindowsFacts) {
        productName = Self.safe(facts.productName)
        editionID = Self.safe(facts.editionID)
        installationType = Self.safe(facts.installationType)
        displayVersion = Self.safe(facts.displayVersion)
        build = facts.build
        revision = facts.revision
        computerName = Self.safe(facts.computerName)
        controlSet = facts.controlSet
        falconVersion = Self.safe(facts.falconVersion)
        services = facts.falconServices.map { service in
            .with {
                $0.name = service.name
                $0.start = service.start
                $0.imagePath = Self.safe(service.imagePath)
            }
        }
        pendingReboot = facts.pendingReboot
        scheduledChecks = facts.scheduledChecks.prefix(8).map(Self.safe)
    }
}
