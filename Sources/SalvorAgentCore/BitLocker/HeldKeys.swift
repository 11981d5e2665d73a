internal import Synchronization

/// The keys of the volumes that were unlocked, until they are forgotten. Derived once, since that can cost half a minute;
/// used at every Scan and Apply.
final class HeldKeys: Sendable {
    private let keys = Mutex<[String: VolumeKey]>([:])

    /// By device and identifier: another disk in the same place has none of them.
    private func name(_ device: String, _ metadata: FVEMetadata) -> String { "\(device) \(metadata.volumeGUID)" }

    func key(of device: String, _ metadata: FVEMetadata) -> VolumeKey? {
        keys.withLock { $0[name(device, metadata)] }
    }

    func hold(_ key: VolumeKey, of device: String, _ metadata: FVEMetadata) {
        keys.withLock { $0[name(device, metadata)] = key }
    }

    func forget(_ device: String) {
        keys.withLock { keys in keys = keys.filter { !$0.key.hasPrefix("\(device) ") } }
    }
}
