/// What a disk holds, for ``DiskMaker`` to make.
package struct DiskSpec: Sendable {
    package enum Table: Hashable, Sendable {
        case gpt
        /// At most four partitions. Windows' type is 0x07, whatever the GPT type says.
        case mbr
        /// A dynamic disk on MBR, or on GPT: the partitions are simple volumes of the logical disk manager.
        case dynamicMBR
        case dynamicGPT
        /// None: the one partition's content begins with the disk.
        case none
    }

    /// A multiple of 1 MiB.
    package var sizeBytes: Int
    package var diskGUID: GUID
    package var table = Table.gpt
    /// Of the GPT and of NTFS: 512, or 4096 for a disk that has no smaller sectors (4Kn).
    package var sectorBytes = 512
    /// In the order on disk, each aligned to 1 MiB. Without any, the disk has no partition table.
    package var partitions: [PartitionSpec]

    package init(
        sizeBytes: Int, diskGUID: GUID = GUID("5a1f0291-0719-4409-8527-0000d15c0001"), partitions: [PartitionSpec]
    ) {
        self.sizeBytes = sizeBytes
        self.diskGUID = diskGUID
        self.partitions = partitions
    }
}

package struct PartitionSpec: Sendable {
    package enum Content: Sendable {
        /// All zeroes.
        case none
        /// These bytes at these offsets, zeroes elsewhere.
        case raw([Int: [UInt8]])
        case fat(label: String, files: [FileSpec])
        case ntfs(NTFSSpec)
        /// NTFS, encrypted by BitLocker.
        case encrypted(NTFSSpec, any BitLockerEncryption)
    }

    package var name: String
    package var type: GUID
    package var guid: GUID
    /// A multiple of 1 MiB; nil for all that is left.
    package var sizeBytes: Int?
    /// As the GPT has them.
    package var attributes: UInt64 = 0
    package var content: Content

    package init(name: String, type: GUID, guid: GUID, sizeBytes: Int?, content: Content) {
        self.name = name
        self.type = type
        self.guid = guid
        self.sizeBytes = sizeBytes
        self.content = content
    }
}

/// What an NTFS volume holds, and how it was left.
package struct NTFSSpec: Sendable {
    package enum State: Sendable {
        case clean
        /// The log was not closed, as after a bugcheck of Windows 8 or later.
        case logOpen
        /// The same of Windows 7, whose log any driver resets.
        case oldLogOpen
        /// The dirty bit is set: Windows would run chkdsk.
        case dirtyBit
    }

    package var label: String
    package var files: [FileSpec]
    package var state: State

    package init(label: String = "Windows", files: [FileSpec], state: State = .clean) {
        self.label = label
        self.files = files
        self.state = state
    }
}

/// A file, folder or link below a volume's root.
package struct FileSpec: Sendable {
    package enum Content: Sendable {
        case bytes([UInt8])
        /// Bytes that look random and follow from the seed.
        case noise(seed: UInt64, count: Int)
        case zeroes(count: Int)
        case folder
        /// A POSIX symlink as ntfs-3g stores it.
        case symlink(target: String)
        /// A Windows junction (mount-point reparse point) to an absolute Windows path such as `C:\Other`.
        case junction(target: String)
    }

    /// With slashes, without one in front.
    package var path: String
    package var content: Content
    /// Set exactly; those of a file without are the volume's ``NTFSTimes/installed``.
    package var times: NTFSTimes

    package init(_ path: String, _ content: Content, times: NTFSTimes = .installed) {
        self.path = path
        self.content = content
        self.times = times
    }

    /// The bytes of a file; nil for what is none.
    package var bytes: [UInt8]? {
        switch content {
        case .bytes(let bytes): bytes
        case .noise(let seed, let count): Noise.bytes(seed: seed, count: count)
        case .zeroes(let count): [UInt8](repeating: 0, count: count)
        case .folder, .symlink, .junction: nil
        }
    }
}
