import Fixtures
import FoundationEssentials
import SalvorDigest
import SalvorImage
import Subprocess
import Synchronization
import SystemPackage
import Testing

extension SecondLane {
    /// Volumes encrypted by BitLocker, repaired through the real salvor and a real rescue VM.
    struct Encrypted {
        /// The stand-in for Windows has no key: that it looks for C: and finds none shows that it started with the
        /// repaired disk.
        static let readyLine = "0x0000007B INACCESSIBLE_BOOT_DEVICE"

        @Test(
            "A disk locked by BitLocker is repaired with its recovery key, and stays encrypted with the same protectors"
        )
        func recoveryKey() async throws {
            let spec = BitLockerSpec()
            try await Lab.run { lab in
                let machine = try await lab.add("locked-01", Self.windows(spec), readyLine: Self.readyLine)
                let keys = try lab.keyFile(
                    "protector,recovery_key\n{\(spec.guid(of: .recoveryPassword))},\(spec.recoveryPassword)\n")
                let observer = Observer()
                let result = try await lab.rescue(["locked-01"], extra: ["--yes", "--keys", keys.string]) { line, _ in
                    try await observer.look(at: lab, line: line)
                }
                #expect(result.status == 0, "\(result.errors)\(result.output)")
                #expect(try RunAnswer(result).kinds == ["locked-01": "repaired"])
                try await Self.checkRepaired(lab, machine, spec)
                try Self.checkNoSecret(lab, spec, result, observer, except: [machine.disk, keys])
                #expect(lab.leftovers() == [])
            }
        }

        @Test("A startup key as Azure keeps it, and a clear key that nobody has to give, open their disks")
        func startupAndClearKey() async throws {
            let startup = BitLockerSpec(seed: 600) {
                $0.protectors = [.tpm, .startupKey]
                $0.cipher = .xts256
            }
            let suspended = BitLockerSpec(seed: 700) {
                $0.protectors = [.tpm, .clearKey]
                $0.cipher = .cbc256
                $0.sectorBytes = 4096
            }
            try await Lab.run { lab in
                let one = try await lab.add("startup", Self.windows(startup), readyLine: Self.readyLine)
                let two = try await lab.add("suspended", Self.windows(suspended), readyLine: Self.readyLine)
                let keys = try lab.keyFile(
                    "machine,startup_key\nstartup,\(Data(startup.startupKeyFile).base64EncodedString())\n")
                let result = try await lab.rescue(
                    ["startup", "suspended"], extra: ["--yes", "--keys", keys.string])
                #expect(result.status == 0, "\(result.errors)\(result.output)")
                #expect(try RunAnswer(result).kinds == ["startup": "repaired", "suspended": "repaired"])
                try await Self.checkRepaired(lab, one, startup)
                try await Self.checkRepaired(lab, two, suspended)
            }
        }

        @Test(
            "Whoever is at a terminal is asked for the key of a disk, by its protector, and what is typed is not shown")
        func asked() async throws {
            let spec = BitLockerSpec()
            try await Lab.run { lab in
                let machine = try await lab.add("locked-01", Self.windows(spec), readyLine: Self.readyLine)
                let terminal = try Terminal()
                let observer = Observer()
                let typing = Mutex<Task<Void, any Error>?>(nil)
                defer { typing.withLock { $0?.cancel() } }
                let result = try await lab.rescue(
                    ["locked-01"], extra: ["--yes", "--ask-keys"], terminal: terminal
                ) { line, _ in
                    try await observer.look(at: lab, line: line)
                    guard line.contains("is locked by BitLocker") else { return }
                    // What is typed before the terminal is made silent is thrown away: so it is typed until it is taken.
                    typing.withLock {
                        $0 = Task {
                            while true {
                                try terminal.type(spec.recoveryPassword)
                                try await Task.sleep(for: .milliseconds(500))
                            }
                        }
                    }
                }
                #expect(result.status == 0, "\(result.errors)\(result.output)")
                #expect(result.errors.contains("recovery key \(spec.guid(of: .recoveryPassword)): "))
                try await Self.checkRepaired(lab, machine, spec)
                try Self.checkNoSecret(lab, spec, result, observer, except: [machine.disk])
            }
        }

        @Test("In three steps keys come with run, are forgotten after it, and none is needed to restore")
        func stepwise() async throws {
            let spec = BitLockerSpec(seed: 800) { $0.protectors = [.tpm, .startupKey] }
            try await Lab.run { lab in
                let machine = try await lab.add("locked-01", Self.windows(spec), readyLine: Self.readyLine)
                let keys = try lab.keyFile(
                    "machine,startup_key\nlocked-01,\(Data(spec.startupKeyFile).base64EncodedString())\n")
                let created = try await lab.step("create", "-n", "locked-01", "--inventory", lab.inventory.string)
                #expect(created.status == 0, "\(created.errors)")
                let without = try await lab.step("run", "-n", "locked-01", "--yes")
                #expect(without.status == 12, "\(without.errors)")
                let repaired = try await lab.step("run", "-n", "locked-01", "--yes", "--keys", keys.string)
                #expect(try RunAnswer(repaired).kinds == ["locked-01": "copyRepaired"], "\(repaired.errors)")
                let again = try await lab.step("run", "-n", "locked-01", "--yes")
                #expect(try RunAnswer(again).kinds == ["locked-01": "locked"], "the agent still has the key")
                let restored = try await lab.step("restore", "-n", "locked-01", "--yes")
                #expect(try RunAnswer(restored).kinds == ["locked-01": "repaired"], "\(restored.errors)")
                try await Self.checkRepaired(lab, machine, spec)
                #expect(lab.leftovers() == [])
            }
        }

        @Test("A run that was stopped forgets its keys: resume needs them again")
        func resumed() async throws {
            let spec = BitLockerSpec(seed: 900) { $0.protectors = [.tpm, .startupKey] }
            try await Lab.run { lab in
                let machine = try await lab.add("locked-01", Self.windows(spec), readyLine: Self.readyLine)
                let keys = try lab.keyFile(
                    "machine,startup_key\nlocked-01,\(Data(spec.startupKeyFile).base64EncodedString())\n")
                let killed = try await lab.rescue(["locked-01"], extra: ["--yes", "--keys", keys.string]) {
                    if $0.contains("repair: quarantine") { try $1.send(.kill) }
                }
                #expect(killed.status == 137, "it ended before it was killed: \(killed.errors)")
                let run = try #require(
                    try StatusAnswer(try await lab.salvor("status", "--output", "json")).runs.first?.run)
                let resumed = try await lab.salvor("resume", run, "--keys", keys.string, "--output", "json")
                #expect(try RunAnswer(resumed).kinds == ["locked-01": "repaired"], "\(resumed.errors)")
                try await Self.checkRepaired(lab, machine, spec)
            }
        }

        @Test(
            "Without a key, with a wrong one, and in the middle of its encryption, a disk ends as what it is, unchanged"
        )
        func closed() async throws {
            let spec = BitLockerSpec()
            let other = BitLockerSpec(seed: 999)
            let converting = BitLockerSpec { $0.state = .converting }
            try await Lab.run { lab in
                let locked = try await lab.add("wrong", Self.windows(spec))
                try await lab.add("none", Self.windows(spec))
                try await lab.add("converting", Self.windows(converting))
                let keys = try lab.keyFile("machine,recovery_key\nwrong,\(other.recoveryPassword)\n")
                let result = try await lab.rescue(
                    ["wrong", "none", "converting"], extra: ["--yes", "--keys", keys.string])
                let answer = try RunAnswer(result)
                #expect(answer.kinds == ["wrong": "locked", "none": "locked", "converting": "cannotUnlock"])
                for name in ["wrong", "none"] {
                    let message = try #require(answer.machine(name)?.outcome?.message)
                    // So that the operator knows which key to look up.
                    #expect(message.contains("recovery key \(spec.guid(of: .recoveryPassword))"), "\(message)")
                    #expect(message.contains("does not open") == (name == "wrong"), "\(message)")
                }
                #expect(try locked.diskIsUnchanged)
                #expect(try lab.copies(of: locked) == [])
            }
        }

        static func windows(_ spec: any BitLockerEncryption, megabytes: Int = 68) -> BrokenWindows {
            BrokenWindows {
                $0.sizeBytes = megabytes << 20
                $0.otherFiles = 20
                $0.systemVolume = .encrypted(spec)
            }
        }

        /// Decrypted by the fixture's own code, the copy differs from the original by the faulty file alone; what says
        /// that it is encrypted, and by what, is the same byte for byte.
        static func checkRepaired(
            _ lab: Lab, _ machine: LabMachine, _ spec: any BitLockerEncryption
        ) async throws {
            #expect(try machine.diskIsUnchanged)
            let copy = lab.disks.appending(try #require(try lab.copies(of: machine).first))
            let repaired = lab.folder.appending("repaired.raw")
            defer { Posix.removeTree(repaired) }
            try await DiskMaker().convert(copy, to: repaired, format: "raw")
            let table = try #require(try PartitionTable(readFrom: machine.disk))
            let system = try #require(table.entries.first { $0.guid == BrokenWindows.systemPartition })
            let range = system.startBytes..<(system.startBytes + system.sizeBytes)

            let before = try DiskBytes.read(machine.disk, range)
            let after = try DiskBytes.read(repaired, range)
            let metadata = spec.metadataRanges(volumeBytes: system.sizeBytes)
            #expect(metadata.count == 4)
            for range in metadata { #expect(before[range] == after[range]) }

            let plain = [lab.folder.appending("before.raw"), lab.folder.appending("after.raw")]
            defer { for path in plain { Posix.removeTree(path) } }
            for (path, disk) in zip(plain, [machine.disk, repaired]) {
                try await DiskMaker().convert(disk, to: path, format: "raw")
                try spec.unseal(path, at: system.startBytes, count: system.sizeBytes)
            }
            let files = try await TreeSnapshot.take(of: plain[0])
            #expect(files.entries.count > 20)
            let folder = ChannelFile.folder
            let differences = files.differences(to: try await TreeSnapshot.take(of: plain[1]))
            #expect(differences.filter { $0 != "changed: \(folder)" } == ["gone: \(folder)/\(ChannelFile.faulty)"])
        }

        /// No key, in any of its forms, in what is left, in what was printed, or on a command line.
        private static func checkNoSecret(
            _ lab: Lab, _ spec: BitLockerSpec, _ result: CommandResult, _ observer: Observer, except: Set<FilePath>
        ) throws {
            for secret in spec.secrets {
                let search = SecretSearch(secret)
                #expect(try search.files(in: lab.folder, except: except) == [])
                for text in [result.output, result.errors] { #expect(!search.finds(in: text)) }
                for commandLine in observer.commandLines {
                    #expect(!commandLine.contains { search.finds(in: $0) }, "a key was on a command line")
                }
            }
        }
    }
}

extension Lab {
    /// A key file that only its owner can read.
    func keyFile(_ text: String) throws -> FilePath {
        let path = folder.appending("keys.csv")
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
        defer { try? file.close() }
        try file.writeAll(Array(text.utf8))
        return path
    }
}
