internal import SalvorJSON

/// A simulated machine whose guest does not come up: it runs, and its agent is not ready. That is so for as long as it has
/// the OS disk that it had when it was said, so that a rescue that brings in another one mends it.
enum UnbootableDisk {
    static func mark(_ machine: inout Record, isUnbootable: Bool) {
        machine.hidden[path: "unbootableDisk"] =
            isUnbootable ? StorageProfile(machine.body).osDiskID.map { .string($0.lowercased()) } : nil
    }

    static func holds(_ machine: Record) -> Bool {
        guard let disk = machine.hidden["unbootableDisk"]?.string else { return false }
        return StorageProfile(machine.body).osDiskID?.lowercased() == disk
    }
}
