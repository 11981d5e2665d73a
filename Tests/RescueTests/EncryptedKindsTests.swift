import Fixtures
import FoundationEssentials
import SalvorImage
import Subprocess
import SystemPackage
import Testing

extension SecondLane {
    /// Every way of BitLocker's to encrypt, and volumes that Windows itself encrypted, through the real salvor and a
    /// real rescue VM.
    struct EncryptedKinds {
        /// With and without the diffuser, both modes, sectors of 4 KiB, a removable drive's header.
        private static let kinds: [(name: String, spec: BitLockerSpec)] = [
            ("cbc128-diffuser", BitLockerSpec(seed: 1100) { $0.cipher = .cbc128Diffuser }),
            ("cbc128", BitLockerSpec(seed: 1300) { $0.cipher = .cbc128 }),
            (
                "xts256-4k",
                BitLockerSpec(seed: 1400) {
                    $0.cipher = .xts256
                    $0.sectorBytes = 4096
                }
            ),
            ("to-go", BitLockerSpec(seed: 1500) { $0.isToGo = true }),
        ]

        @Test(
            "Every cipher of BitLocker's, sectors of 4 KiB, used space only and BitLocker To Go: repaired, and encrypted as before"
        )
        func everyCipher() async throws {
            try await Lab.run { lab in
                var machines: [(LabMachine, BitLockerSpec)] = []
                var keys = "machine,startup_key\n"
                for (name, spec) in Self.kinds {
                    var spec = spec
                    // A startup key costs no time.
                    spec.protectors = [.startupKey]
                    spec.encryptsUsedSpaceOnly = spec.cipher == .cbc128Diffuser || spec.cipher == .cbc128
                    machines.append(
                        (
                            try await lab.add(
                                name, Encrypted.windows(spec), readyLine: Encrypted.readyLine), spec
                        ))
                    keys += "\(name),\(Data(spec.startupKeyFile).base64EncodedString())\n"
                }
                let result = try await lab.rescue(
                    machines.map(\.0.name), extra: ["--yes", "--keys", try lab.keyFile(keys).string])
                #expect(result.status == 0, "\(result.errors)\(result.output)")
                for (machine, spec) in machines {
                    #expect(try RunAnswer(result).kinds[machine.name] == "repaired")
                    try await Encrypted.checkRepaired(lab, machine, spec)
                }
            }
        }

        @Test(
            "Volumes that Windows encrypted, NTFS made anew inside, are repaired by password, recovery key, startup key and clear key",
            .enabled(
                if: WindowsVolume.areThere, "../shared/third-party/bitlocker is not there: real volumes are not tried"))
        func madeByWindows() async throws {
            try await Lab.run { lab in
                var machines: [(LabMachine, WindowsBitLocker)] = []
                var keys = "machine,recovery_key,password,startup_key\n"
                for volume in WindowsVolume.known {
                    let encryption = try await volume.encryption(in: lab)
                    // Partition tables, EFI and reserved partition beside a volume whose size Windows chose.
                    var windows = Encrypted.windows(encryption)
                    windows.sizeBytes = encryption.volumeBytes + (52 << 20)
                    let machine = try await lab.add(volume.name, windows, readyLine: Encrypted.readyLine)
                    machines.append((machine, encryption))
                    if let line = volume.keyLine { keys += "\(volume.name),\(line)\n" }
                }
                let result = try await lab.rescue(
                    machines.map(\.0.name), extra: ["--yes", "--keys", try lab.keyFile(keys).string])
                #expect(result.status == 0, "\(result.errors)\(result.output)")
                for (machine, encryption) in machines {
                    #expect(try RunAnswer(result).kinds[machine.name] == "repaired")
                    try await Encrypted.checkRepaired(lab, machine, encryption)
                }
            }
        }
    }
}

/// A volume that nobody on this project made, and how it is opened.
private struct WindowsVolume {
    enum Opener {
        case password(String)
        case recoveryKey(String, password: String)
        case startupKey(String)
        case clearKey
    }

    var file: String
    var opener: Opener

    /// As a machine is called.
    var name: String { file.split(separator: ".").first.map(String.init) ?? file }

    private static var folder: FilePath {
        // Tests/RescueTests/EncryptedKindsTests.swift
        var root = FilePath(#filePath)
        for _ in 0..<4 { root.removeLastComponent() }
        return root.appending("shared/third-party/bitlocker")
    }

    static var areThere: Bool { FileManager.default.fileExists(atPath: folder.string) }

    static let known: [WindowsVolume] = [
        WindowsVolume(file: "bitlk-aes-xts-128.img.xz", opener: .password("anaconda")),
        WindowsVolume(
            file: "bitlk-aes-cbc-128.img.xz",
            opener: .recoveryKey("042647-302313-590458-071500-554323-116567-412181-516978", password: "anaconda")),
        WindowsVolume(
            file: "bitlk-aes-xts-128-startup-key.img.xz",
            opener: .startupKey("4381F759-C4F8-4DE0-BB61-FC33A831BDA5.BEK")),
        WindowsVolume(file: "bitlk-aes-xts-128-clearkey-only.img.xz", opener: .clearKey),
    ].filter { FileManager.default.fileExists(atPath: folder.appending($0.file).string) }

    /// Recovery key, password, startup key.
    var keyLine: String? {
        switch opener {
        case .password(let text): ",\(text),"
        case .recoveryKey(let digits, _): "\(digits),,"
        case .startupKey(let file):
            (try? Posix.read(Self.folder.appending(file))).map { ",,\(Data($0).base64EncodedString())" }
        case .clearKey: nil
        }
    }

    /// The volume's key comes from cryptsetup, which shares nothing with the agent's own code.
    func encryption(in lab: Lab) async throws -> WindowsBitLocker {
        let template = lab.folder.appending("\(name).img")
        let key = lab.folder.appending("\(name).key")
        defer { Posix.removeTree(key) }
        let tools = ToolRunner()
        try await tools.output(
            "sh", ["-c", "xz -dc \"$1\" > \"$2\"", "sh", Self.folder.appending(file).string, template.string])
        let dump = "cryptsetup bitlkDump -q --dump-volume-key --volume-key-file \"$2\""
        switch opener {
        case .password(let text), .recoveryKey(_, let text):
            try await tools.output(
                "sh", ["-c", "printf %s \"$3\" | \(dump) \"$1\"", "sh", template.string, key.string, text])
        case .startupKey(let file):
            try await tools.output(
                "sh",
                [
                    "-c", "\(dump) --key-file \"$3\" \"$1\"", "sh", template.string, key.string,
                    Self.folder.appending(file).string,
                ])
        case .clearKey: return try WindowsBitLocker(template, volumeKey: nil)
        }
        return try WindowsBitLocker(template, volumeKey: try Posix.read(key))
    }
}
