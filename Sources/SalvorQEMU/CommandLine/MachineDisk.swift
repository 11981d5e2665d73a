package import SalvorJSON
package import SystemPackage

/// A disk of a QEMU machine, whether it is there from the start or plugged in later.
package struct MachineDisk: Hashable, Sendable {
    package enum Format: String, Hashable, Sendable, CaseIterable {
        case raw
        case qcow2
        /// Microsoft's older format, of fixed or dynamic size.
        case vhd
        case vhdx
        /// VMware's, in one sparse file.
        case vmdk

        /// QEMU's name of the driver.
        package var driver: String { self == .vhd ? "vpc" : rawValue }
    }

    package enum Bus: Hashable, Sendable {
        case virtio
        /// For guests that have no virtio driver. Cannot be plugged in later.
        case sata
        /// For guests of an older machine still: see ``QEMUCommandLine/Chipset/i440fx``. Cannot be plugged in later.
        case ide
        /// On a controller of the machine's ``QEMUCommandLine/scsiControllers``, as channel 0, target 0, this LUN.
        case scsi(SCSIController, lun: Int)

        /// Whether a disk can come and go while the guest runs.
        var isHotPlugged: Bool {
            switch self {
            case .virtio, .scsi: true
            case .sata, .ide: false
            }
        }

        var driver: String {
            switch self {
            case .virtio: "virtio-blk-pci"
            case .sata, .ide: "ide-hd"
            case .scsi: "scsi-hd"
            }
        }
    }

    /// QEMU hands no more than this of a virtio-blk serial to the guest.
    package static let longestSerial = 20

    /// Absolute path.
    package let file: FilePath
    package let format: Format
    package let readOnly: Bool
    /// What the guest sees as the disk's serial number, and what the disk goes by here.
    package let serial: String
    package let bus: Bus
    /// Of a logical sector: 512, or 4096 for a disk that has no smaller one (4Kn).
    package let sectorBytes: Int

    /// - Parameter serial: 1 to 20 of `A`–`Z`, `a`–`z`, `0`–`9`, `.`, `_`, `-`.
    /// - Throws: ``QEMUError/Code/invalidArgument``, also for a LUN that a controller does not have.
    package init(
        file: FilePath, format: Format, readOnly: Bool = false, serial: String, bus: Bus = .virtio,
        sectorBytes: Int = 512
    ) throws(QEMUError) {
        guard file.isAbsolute else {
            throw QEMUError(.invalidArgument, "A disk needs an absolute path, and \(file) is not one.")
        }
        guard Self.isSerial(serial) else {
            throw QEMUError(
                .invalidArgument,
                "“\(serial)” cannot be a disk's serial: it takes 1 to \(Self.longestSerial) of A-Z a-z 0-9 . _ -")
        }
        if case .scsi(_, let lun) = bus, !SCSIController.luns.contains(lun) {
            throw QEMUError(
                .invalidArgument, "\(file) cannot have LUN \(lun): a controller has \(SCSIController.luns).")
        }
        self.file = file
        self.format = format
        self.readOnly = readOnly
        self.serial = serial
        self.bus = bus
        self.sectorBytes = sectorBytes
    }

    package static func isSerial(_ text: String) -> Bool {
        (1...longestSerial).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// QEMU's name of the block node; at most 31 characters, a letter first.
    package var nodeName: String { "node-\(serial)" }
    /// QEMU's id of the device.
    package var deviceID: String { "disk-\(serial)" }

    /// For `-blockdev` and `blockdev-add`. QEMU locks the file for itself as far as it uses it.
    package var blockNode: JSONValue {
        [
            "driver": .string(format.driver),
            "node-name": .string(nodeName),
            "read-only": .bool(readOnly),
            "discard": "unmap",
            "file": [
                "driver": "file", "filename": .string(file.string), "read-only": .bool(readOnly), "locking": "on",
                "discard": "unmap",
            ],
        ]
    }

    /// For `-device` and `device_add`.
    /// - Parameters:
    ///   - port: id of the bus to plug into; nil for the first free place. A SCSI disk names its own.
    ///   - bootIndex: place in the boot order, 0 first.
    package func device(port: String? = nil, bootIndex: Int? = nil) -> JSONValue {
        var members: [String: JSONValue] = [
            "driver": .string(bus.driver),
            "id": .string(deviceID),
            "drive": .string(nodeName),
            "serial": .string(serial),
        ]
        members["bus"] = port.map { .string($0) }
        // A PCIe port has one place where guests look; QEMU refuses a second disk there, and would take it elsewhere.
        if port != nil, bus == .virtio { members["addr"] = "0x0" }
        if case .scsi(let controller, let lun) = bus {
            members["bus"] = .string(controller.bus)
            members["channel"] = 0
            members["scsi-id"] = 0
            members["lun"] = .integer(Int64(lun))
        }
        if sectorBytes != 512 {
            members["logical_block_size"] = .integer(Int64(sectorBytes))
            members["physical_block_size"] = .integer(Int64(sectorBytes))
        }
        members["bootindex"] = bootIndex.map { .integer(Int64($0)) }
        return .object(members)
    }
}
