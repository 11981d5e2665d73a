package import SalvorQEMU
package import SystemPackage

/// A machine as its YAML file in the inventory describes it, paths made absolute.
package struct MachineDefinition: Hashable, Sendable {
    package struct Disk: Hashable, Sendable {
        package var path: FilePath
        package var format: MachineDisk.Format
    }

    /// The disk that a swap replaced, kept in the definition so that it can be put back.
    package struct OriginalDisk: Hashable, Sendable {
        package var disk: Disk
        package var replacedByRun: String
        /// When, in UTC as RFC 3339.
        package var at: String
        /// What an earlier swap had replaced, when a repaired machine was repaired again.
        package indirect enum Previous: Hashable, Sendable {
            case none
            case some(OriginalDisk)
        }
        package var previous: Previous
    }

    package enum Firmware: String, Hashable, Sendable, CaseIterable {
        case direct
        case bios
        case uefi
    }

    package struct DirectBoot: Hashable, Sendable {
        package var kernel: FilePath
        package var initramfs: FilePath?
        package var append: String
    }

    package struct BootProbe: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            /// A regular expression that a line on the serial console contains.
            case serial(String)
            /// A port of the guest that accepts a connection.
            case tcp(Int)
        }
        package var kind: Kind
        package var timeoutSeconds: Int
    }

    package var file: FilePath
    package var name: String
    package var disk: Disk
    package var bus: MachineDisk.Bus
    /// Of a logical sector of the disk: 512 or 4096.
    package var sectorBytes: Int
    package var firmware: Firmware
    /// Set exactly where the firmware is ``Firmware/direct``.
    package var direct: DirectBoot?
    package var memoryMiB: Int
    package var cpus: Int
    package var bootProbe: BootProbe
    package var originalDisk: OriginalDisk?
    /// What Windows on it is called; nil where a disk of any name is its own.
    package var computerName: String?
}
