internal import Glibc
internal import SalvorDigest
internal import SalvorMessages
internal import SalvorSystem

/// Gives the device by which a volume's file system is read and written: the partition itself, or the device mapper's
/// view of it where it is encrypted and its key is held.
package struct VolumeAccess: Sendable {
    let tools: AgentTools
    let keys = HeldKeys()
    let mapped = LiveMounts()

    package init(tools: AgentTools) { self.tools = tools }

    /// libblkid's name.
    static let bitLocker = "BitLocker"

    /// What an encrypted volume's metadata says; nil for a volume that is not encrypted.
    func metadata(of volume: Salvor_V1_Volume) async -> FVEMetadata? {
        guard volume.fileSystem == Self.bitLocker else { return nil }
        let device = volume.device
        // What cannot be read is as good as damaged, and no reason not to look at the disk's other volumes.
        return await Blocking.run { (try? FVEMetadata.read(device)) ?? .damaged }
    }

    /// The key that is held, or the one that lies on the volume itself.
    func key(of volume: Salvor_V1_Volume, _ metadata: FVEMetadata) async throws(AgentError) -> VolumeKey? {
        if let held = keys.key(of: volume.device, metadata) { return held }
        guard metadata.state == .suspended else { return nil }
        let found = try await Blocking.run { () throws(AgentError) in try metadata.unlock([], stop: StopSignal()) }
        guard case .unlocked(let key, _) = found else { return nil }
        keys.hold(key, of: volume.device, metadata)
        return key
    }

    /// Opens a volume. Whoever gets the device must close it.
    /// - Throws: ``AgentError/Code/locked``, ``AgentError/Code/cannotUnlock``, ….
    func open(_ volume: Salvor_V1_Volume, readOnly: Bool) async throws(AgentError) -> VolumeDevice {
        if volume.isDynamicSimple { return try await openDynamic(volume, readOnly: readOnly) }
        guard let metadata = await metadata(of: volume) else { return VolumeDevice(path: volume.device) }
        guard let key = try await key(of: volume, metadata) else { throw .closed(volume, metadata) }
        // By name: where there is no /sbin/modprobe, the kernel finds no target and no cipher by itself. What a kernel has
        // built in, or a processor cannot do, is passed over.
        _ = try await runTool(tools.modprobe, ["-aq", "dm-mod", "dm-crypt", "dm-zero", "ecb", "xts", "aesni-intel"])
        let device = volume.device
        let name = "salvor-" + (device.split(separator: "/").last.map(String.init) ?? "volume")
        let mapped = mapped
        let path = try await Blocking.run { () throws(AgentError) -> String in
            let targets = CryptTable(metadata).targets(key, device: device)
            let path = try DeviceMapper().create(name, targets, readOnly: readOnly)
            mapped.insert(device)
            return path
        }
        return VolumeDevice(path: path, mapping: name, of: device, in: mapped)
    }

    private func openDynamic(_ volume: Salvor_V1_Volume, readOnly: Bool) async throws(AgentError) -> VolumeDevice {
        _ = try await runTool(tools.modprobe, ["-aq", "dm-mod"])
        let device = volume.device
        let name = "salvor-" + (device.split(separator: "/").last.map(String.init) ?? "disk") + "-\(volume.number)"
        let target = volume.linearTarget
        let mapped = mapped
        let path = try await Blocking.run { () throws(AgentError) -> String in
            let path = try DeviceMapper().create(name, [target], readOnly: readOnly)
            mapped.insert(device)
            return path
        }
        return VolumeDevice(path: path, mapping: name, of: device, in: mapped)
    }

    /// See ``FVEMetadata/digest(of:)``; nil for a volume that is not encrypted.
    func encryptionDigest(of volume: Salvor_V1_Volume) async throws(AgentError) -> Digest? {
        guard let metadata = await metadata(of: volume) else { return nil }
        let device = volume.device
        return try await Blocking.run { () throws(AgentError) in try metadata.digest(of: device) }
    }
}

/// A volume's device while it is open.
final class VolumeDevice: Sendable {
    let path: String
    private let mapping: String?
    private let partition: String
    private let mapped: LiveMounts?

    init(path: String, mapping: String? = nil, of partition: String = "", in mapped: LiveMounts? = nil) {
        self.path = path
        self.mapping = mapping
        self.partition = partition
        self.mapped = mapped
    }

    /// Closes it; what was written is on the partition's device then. Does nothing for a volume that is not encrypted.
    func close() async throws(AgentError) {
        guard let mapping else { return }
        try await Blocking.run { () throws(AgentError) in
            do throws(AgentError) {
                try DeviceMapper().remove(mapping)
            } catch {
                throw AgentError(
                    .stillMounted, "The decrypted view of \(self.partition) could not be closed: \(error.message)",
                    next: "Do not use the disk. Restart the rescue VM and begin again with a fresh repair copy.")
            }
        }
        mapped?.remove(partition)
    }
}

extension AgentError {
    static func closed(_ volume: Salvor_V1_Volume, _ metadata: FVEMetadata) -> AgentError {
        let sentence = "Volume \(volume.number) (\(volume.device)) \(metadata.why). Nothing was changed."
        return AgentError(metadata.isLocked ? .locked : .cannotUnlock, sentence, next: metadata.keysWanted)
    }
}
