/// The disk of a Windows machine that channel file 291 stopped, and its relations.
///
/// Everything follows from the seed, but for what ntfs-3g writes of itself.
package struct BrokenWindows: Sendable {
    /// What the CrowdStrike folder holds of channel 291.
    package enum ChannelFiles: Sendable {
        /// The faulty file and the corrected one, side by side.
        case faultyAndCorrected
        /// So many faulty files, of which each alone would stop the machine.
        case severalFaulty(Int)
        case onlyFaulty
        case onlyCorrected
        case onlyZeroed
        case none
    }

    /// What stands between an agent and the CrowdStrike folder.
    package enum Obstacle: Sendable {
        case none
        /// A second folder, `crowdstrike`, beside `CrowdStrike`.
        case caseTwin
        /// `drivers` is a POSIX symlink to another folder.
        case symlink
        /// `CrowdStrike` is a junction to another folder.
        case junction
        /// A hibernation file with a live header: ntfs-3g mounts such a volume read-only.
        case hibernated
    }

    /// What is in the place of C:.
    package enum SystemVolume: Sendable {
        case windows
        /// NTFS that holds only data.
        case dataOnly
        /// A volume that libblkid takes for BitLocker.
        case bitLocker
        /// Windows, encrypted by BitLocker.
        case encrypted(any BitLockerEncryption)
        /// No NTFS on the disk: C: is FAT.
        case fat
        /// Nothing at all on the disk, no partition table either.
        case blankDisk
    }

    package var seed: UInt64 = 291
    package var sizeBytes = 256 << 20
    package var channelFiles = ChannelFiles.faultyAndCorrected
    package var obstacle = Obstacle.none
    package var systemVolume = SystemVolume.windows
    package var state = NTFSSpec.State.clean
    package var registry = WindowsRegistry()
    /// Files below Windows/System32/config in place of, or beside, what the registry makes.
    package var hiveFiles: [String: [UInt8]] = [:]
    package var bootStore = BootStore()
    /// Event logs, dumps and setup logs.
    package var hasLogs = false
    /// The registry's transaction files, and what lies beside them.
    package var hasTransactionFiles = false
    /// How many files there are besides those that matter.
    package var otherFiles = 200

    package init() {}

    package init(_ change: (inout BrokenWindows) -> Void) { change(&self) }

    /// The GUID of the C: partition.
    package static let systemPartition = GUID("5a1f0291-0719-4409-8527-0000d15c0103")

    package var disk: DiskSpec {
        if case .blankDisk = systemVolume { return DiskSpec(sizeBytes: sizeBytes, partitions: []) }
        return DiskSpec(
            sizeBytes: sizeBytes,
            partitions: [
                PartitionSpec(
                    name: "EFI system partition", type: .efiSystem, guid: GUID("5a1f0291-0719-4409-8527-0000d15c0101"),
                    sizeBytes: 34 << 20, content: .fat(label: "SYSTEM", files: efiFiles)),
                PartitionSpec(
                    name: "Microsoft reserved partition", type: .microsoftReserved,
                    guid: GUID("5a1f0291-0719-4409-8527-0000d15c0102"), sizeBytes: 16 << 20, content: .none),
                PartitionSpec(
                    name: "Basic data partition", type: .basicData, guid: Self.systemPartition, sizeBytes: nil,
                    content: systemContent),
            ])
    }

    private var systemContent: PartitionSpec.Content {
        switch systemVolume {
        case .windows: .ntfs(NTFSSpec(files: windowsFiles, state: state))
        case .encrypted(let spec): .encrypted(NTFSSpec(files: windowsFiles, state: state), spec)
        case .dataOnly:
            .ntfs(
                NTFSSpec(
                    label: "Data",
                    files: [
                        FileSpec("Photos/lake.jpg", .noise(seed: seed, count: 5000)),
                        FileSpec("Windows notes.txt", .bytes(Array("Windows is on another disk.\n".utf8))),
                    ], state: state))
        case .bitLocker: .raw(BitLockerLookalike.pieces)
        case .fat: .fat(label: "NOTNTFS", files: [FileSpec("README.TXT", .bytes(Array("FAT\n".utf8)))])
        case .blankDisk: .none
        }
    }

    private var efiFiles: [FileSpec] {
        [
            FileSpec("EFI/Microsoft/Boot/bootmgfw.efi", .noise(seed: seed &+ 1, count: 150_000)),
            FileSpec("EFI/Microsoft/Boot/BCD", .bytes(Self.made { try bootStore.bytes() })),
            FileSpec("EFI/Boot/bootx64.efi", .noise(seed: seed &+ 1, count: 150_000)),
        ]
    }

    /// Every file of C:.
    package var windowsFiles: [FileSpec] {
        var files =
            hives + (hasTransactionFiles ? Self.transactionFiles : []) + (hasLogs ? Self.logs : []) + systemFiles
            + channelFolderFiles + decoys
            + ordinaryFiles
        switch obstacle {
        case .none: break
        case .caseTwin:
            files.append(
                FileSpec(
                    "Windows/System32/drivers/crowdstrike/C-00000291-00000000-00000031.sys",
                    .bytes(ChannelFile.header + Noise.bytes(seed: seed, count: 4000)),
                    times: NTFSTimes(all: ChannelFile.faultyTime)))
        case .symlink:
            files = files.map { Self.moved($0, from: "Windows/System32/drivers/", to: "Elsewhere/drivers/") }
            files.append(FileSpec("Windows/System32/drivers", .symlink(target: "../../Elsewhere/drivers")))
        case .junction:
            files = files.map { Self.moved($0, from: ChannelFile.folder + "/", to: "Elsewhere/CrowdStrike/") }
            files.append(FileSpec(ChannelFile.folder, .junction(target: "C:\\Elsewhere\\CrowdStrike")))
        case .hibernated:
            files.append(FileSpec("hiberfil.sys", .bytes(Array("hibr".utf8) + [UInt8](repeating: 7, count: 65_532))))
        }
        return files
    }

    private var systemFiles: [FileSpec] {
        [
            FileSpec("Windows/System32/ntoskrnl.exe", .noise(seed: seed &+ 12, count: 300_000)),
            FileSpec("Windows/System32/winload.exe", .noise(seed: seed &+ 13, count: 120_000)),
            FileSpec("Windows/System32/winload.efi", .noise(seed: seed &+ 14, count: 120_000)),
            FileSpec("Windows/System32/hal.dll", .noise(seed: seed &+ 15, count: 60_000)),
            FileSpec("Windows/explorer.exe", .noise(seed: seed &+ 16, count: 90_000)),
            FileSpec("pagefile.sys", .zeroes(count: 1 << 20)),
        ]
    }

    private var channelFolderFiles: [FileSpec] {
        let ofChannel291: [FileSpec] =
            switch channelFiles {
            case .faultyAndCorrected: [ChannelFile.faultyFile(), ChannelFile.correctedFile()]
            case .severalFaulty(let count):
                (0..<count).map { number in
                    ChannelFile.faultyFile(
                        "C-00000291-00000000-000000\(number < 2 ? "3" : "a")\(number).sys",
                        seed: seed &+ 30 &+ UInt64(number))
                } + [ChannelFile.correctedFile()]
            case .onlyFaulty: [ChannelFile.faultyFile()]
            case .onlyCorrected: [ChannelFile.correctedFile()]
            case .onlyZeroed: [ChannelFile.zeroedFile()]
            case .none: []
            }
        let other = [
            "C-00000285-00000000-00000029.sys", "C-00000290-00000000-00000032.sys", "C-00000292-00000000-00000004.sys",
        ]
        return ofChannel291
            + other.enumerated().map { index, name in
                FileSpec(
                    "\(ChannelFile.folder)/\(name)", .noise(seed: seed &+ 40 &+ UInt64(index), count: 20_000),
                    times: NTFSTimes(all: ChannelFile.faultyTime))
            } + [
                FileSpec("\(ChannelFile.folder)/csagent.sys", .noise(seed: seed &+ 50, count: 200_000)),
                FileSpec("\(ChannelFile.folder)/CSFalconSensor.cat", .noise(seed: seed &+ 51, count: 9_000)),
            ]
    }

    /// Names and places that come close, with the faulty file's own header and time. The pattern `C-00000291*.sys` in
    /// the one folder matches none of them.
    package var decoys: [FileSpec] {
        [
            "\(ChannelFile.folder)/C-00000291.sys.bak", "\(ChannelFile.folder)/XC-00000291-00000000-00000032.sys",
            "\(ChannelFile.folder)/C-0000291-00000000-00000032.sys",
            "\(ChannelFile.folder)/Quarantine/C-00000291-00000000-00000032.sys",
            "Windows/System32/drivers/C-00000291-00000000-00000032.sys",
            "Users/operator/C-00000291-00000000-00000032.sys",
            "CrowdStrike/C-00000291-00000000-00000032.sys",
        ].enumerated().map { index, path in
            FileSpec(
                path, .bytes(ChannelFile.header + Noise.bytes(seed: seed &+ 60 &+ UInt64(index), count: 3000)),
                times: NTFSTimes(all: ChannelFile.faultyTime))
        }
    }

    private var ordinaryFiles: [FileSpec] {
        var noise = Noise(seed: seed)
        let folders = [
            "Windows/System32", "Windows/WinSxS", "Program Files/Contoso", "Users/operator/Documents",
            "ProgramData/Logs",
        ]
        return (0..<otherFiles).map { index in
            let folder = folders[Int(noise.next() % UInt64(folders.count))]
            let count = Int(noise.next() % 6000)
            let time = NTFSTime.utc(2023, 11, 5) + noise.next() % 200_000_000_000_000
            return FileSpec(
                "\(folder)/\(index % 40)/item-\(index).bin", .noise(seed: noise.next(), count: count),
                times: NTFSTimes(all: time))
        }
    }

    private var hives: [FileSpec] {
        let files = Self.made { try registry.files() }.merging(hiveFiles) { _, given in given }
        return files.sorted { $0.key < $1.key }.map { FileSpec("Windows/System32/config/\($0.key)", .bytes($0.value)) }
    }

    private static func made<Value>(_ make: () throws -> Value) -> Value {
        guard let value = try? make() else { preconditionFailure("libhivex makes no hives here") }
        return value
    }

    package static let logs: [FileSpec] = [
        FileSpec("Windows/System32/winevt/Logs/System.evtx", .noise(seed: 70, count: 69_632)),
        FileSpec(
            "Windows/System32/winevt/Logs/Microsoft-Windows-Größe%4Operational.evtx", .noise(seed: 71, count: 4096)),
        FileSpec("Windows/System32/winevt/Logs/notes.txt", .noise(seed: 72, count: 100)),
        FileSpec("Windows/Minidump/071924-8421-01.dmp", .noise(seed: 73, count: 30_000)),
        FileSpec("Windows/INF/setupapi.dev.log", .bytes(Array("[Device Install]\r\n".utf8))),
        FileSpec("Windows/MEMORY.DMP", .zeroes(count: 1 << 20)),
    ]

    /// Those of the transactional registry; the last is of the kernel transaction manager, and none of them.
    package static let transactionFiles: [FileSpec] = [
        "{53b39e88-18c4-11ea-a811-000d3aa4692b}.TxR.0.regtrans-ms",
        "{53b39e88-18c4-11ea-a811-000d3aa4692b}.TxR.1.regtrans-ms", "{53b39e88-18c4-11ea-a811-000d3aa4692b}.TxR.blf",
        "{53b39e87-18c4-11ea-a811-000d3aa4692b}.TM.blf",
    ].enumerated().map { index, name in
        FileSpec(
            "Windows/System32/config/TxR/\(name)",
            index == 1 ? .zeroes(count: 65_536) : .noise(seed: UInt64(index), count: 65_536))
    }

    private static func moved(_ file: FileSpec, from old: String, to new: String) -> FileSpec {
        guard file.path.hasPrefix(old) else { return file }
        var file = file
        file.path = new + file.path.dropFirst(old.count)
        return file
    }
}
