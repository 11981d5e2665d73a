import Fixtures
import Glibc
import SalvorImage
import Subprocess
import SystemPackage
import Testing

extension FirstLane {
    /// What is wrong before any rescue VM is needed: a clear message, a documented exit code, and nothing changed.
    struct BadInput {
        /// A machine whose disk is good enough for preflight.
        private func labMachine(_ lab: Lab, _ name: String = "web-01") async throws -> LabMachine {
            try await lab.add(
                name,
                BrokenWindows {
                    $0.systemVolume = .blankDisk; $0.sizeBytes = 1 << 20
                })
        }

        /// Expects a command to fail so, and to have changed neither disks nor inventory.
        private func expect(
            _ status: Int32, says words: [String], in lab: Lab, _ arguments: [String],
            environment: [String: String] = [:]
        ) async throws {
            let before = try [lab.disks, lab.inventory].map { try FolderContents.of($0) }
            let result = try await Command.run(
                lab.program, arguments,
                environment: lab.environment.merging(environment) { _, given in given },
                in: lab.folder, timeout: .seconds(60))
            #expect(result.status == status, "\(result.errors)\(result.output)")
            for word in words {
                #expect(
                    (result.errors + result.output).contains(word),
                    "\(word) is not in: \(result.errors)\(result.output)")
            }
            #expect(try [lab.disks, lab.inventory].map { try FolderContents.of($0) } == before)
            #expect(lab.leftovers() == [])
        }

        private func rescue(_ lab: Lab, _ name: String = "web-01", _ extra: String...) -> [String] {
            ["rescue", name, "--inventory", lab.inventory.string, "--yes"] + extra
        }

        @Test("A machine that is not there: 3, with the names that come close")
        func noSuchMachine() async throws {
            try await Lab.run { lab in
                _ = try await labMachine(lab)
                try await expect(3, says: ["web-1", "Did you mean web-01?"], in: lab, rescue(lab, "web-1"))
                #expect(Posix.kind(lab.state.appending("runs")) == nil, "a run without a machine is on record")
            }
        }

        @Test("A disk that is not there: 7, with its path")
        func noDisk() async throws {
            try await Lab.run { lab in
                let machine = try await labMachine(lab)
                Posix.removeTree(machine.disk)
                try await expect(7, says: ["The disk \(machine.disk) is not there."], in: lab, rescue(lab))
            }
        }

        @Test("A disk that may not be read: 7, with its path")
        func unreadableDisk() async throws {
            try await Lab.run { lab in
                let machine = try await labMachine(lab)
                let before = try FolderContents.of(lab.disks)
                #expect(chmod(machine.disk.string, 0) == 0)
                // Root reads everything, unless it gives up the capability to.
                let setpriv = try ToolRunner().find("setpriv")
                let result = try await Command.run(
                    getuid() == 0 ? setpriv : lab.program,
                    (getuid() == 0
                        ? ["--bounding-set", "-dac_override,-dac_read_search", lab.program.string] : []) + rescue(lab),
                    environment: lab.environment, in: lab.folder, timeout: .seconds(60))
                #expect(result.status == 7, "\(result.errors)")
                #expect(result.errors.contains("\(machine.disk) may not be read"), "\(result.errors)")
                #expect(chmod(machine.disk.string, 0o600) == 0)
                #expect(try FolderContents.of(lab.disks) == before)
            }
        }

        @Test("A disk that a program has open for writing: 7, with the program's number")
        func diskInUse() async throws {
            try await Lab.run { lab in
                let machine = try await labMachine(lab)
                let file = try FileDescriptor.open(machine.disk, .readWrite, options: [.closeOnExec])
                defer { try? file.close() }
                try await expect(
                    7, says: ["\(machine.disk) is in use", "process \(getpid())"], in: lab, rescue(lab))
            }
        }

        @Test("A disk that a running QEMU has: 7, with QEMU's number")
        func diskOfRunningMachine() async throws {
            try await Lab.run { lab in
                let machine = try await labMachine(lab)
                let before = try FolderContents.of(lab.disks)
                let qemu = try ToolRunner().find("qemu-system-x86_64")
                let arguments = [
                    "-accel", "tcg", "-S", "-nodefaults", "-display", "none", "-m", "16", "-monitor", "stdio", "-drive",
                    "if=virtio,format=raw,file=\(machine.disk)",
                ]
                _ = try await Subprocess.run(
                    .path(qemu), arguments: Arguments(arguments), input: .inputWriter, output: .sequence,
                    error: .discarded
                ) { execution in
                    // QEMU greets on its monitor once it has opened the disks.
                    for try await line in execution.standardOutput.strings() where line.contains("QEMU") { break }
                    let result = try await lab.salvor("rescue", "web-01", "--inventory", lab.inventory.string, "--yes")
                    #expect(result.status == 7, "\(result.errors)")
                    #expect(result.errors.contains("\(machine.disk) is in use"), "\(result.errors)")
                    #expect(result.errors.contains("process \(execution.processIdentifier.value)"), "\(result.errors)")
                    try execution.send(signal: .kill)
                }
                #expect(try FolderContents.of(lab.disks) == before)
            }
        }

        @Test("A mistake in the inventory: 4, with file, line and what is expected")
        func inventoryMistake() async throws {
            try await Lab.run { lab in
                let machine = try await labMachine(lab)
                let text = machine.definitionText.replacing("memory_mib: 256", with: "memory_mib: plenty")
                let line = 1 + text.split(separator: "memory_mib")[0].count(where: \.isNewline)
                Posix.removeTree(machine.definition)
                try Posix.write(Array(text.utf8), to: machine.definition)
                try await expect(
                    4, says: ["\(machine.definition):\(line):", "plenty", "expected"], in: lab, rescue(lab))
            }
        }

        @Test("A mistake in the recipe: 4, with file, line and what is expected")
        func recipeMistake() async throws {
            try await Lab.run { lab in
                _ = try await labMachine(lab)
                let recipe = lab.folder.appending("recipe.yaml")
                let text = """
                    schema: 1
                    name: mine
                    version: 1
                    description: A recipe with a mistake.
                    rules:
                      - id: one
                        folder: Windows
                        fils: "*.sys"

                    """
                try Posix.write(Array(text.utf8), to: recipe)
                try await expect(
                    4, says: ["\(recipe):8:", "fils", "expected"], in: lab,
                    rescue(lab, "web-01", "--recipe", recipe.string))
            }
        }

        @Test("No QEMU on the PATH: 5, with what to install")
        func noQEMU() async throws {
            try await Lab.run { lab in
                _ = try await labMachine(lab)
                let empty = lab.folder.appending("bin")
                try Posix.makeDirectories(empty)
                try await expect(
                    5, says: ["qemu-system-x86_64 is not installed", "Install"], in: lab, rescue(lab),
                    environment: ["PATH": empty.string])
            }
        }

        @Test("No rescue image: 6, with the command that makes it")
        func noImage() async throws {
            try await Lab.run { lab in
                _ = try await labMachine(lab)
                let cache = lab.folder.appending("cache")
                try Posix.makeDirectories(cache)
                try await expect(
                    6, says: ["salvor image build"], in: lab, rescue(lab), environment: ["XDG_CACHE_HOME": cache.string]
                )
            }
        }

        @Test("A wrong command line: 64", arguments: [["rescue"], ["rescue", "a", "--no-such-option"], ["mend"]])
        func usage(_ arguments: [String]) async throws {
            try await Lab.run { lab in try await expect(64, says: ["Usage:"], in: lab, arguments) }
        }

        @Test("--dry-run says what would be done and writes nothing at all")
        func dryRun() async throws {
            try await Lab.run { lab in
                let machine = try await labMachine(lab)
                let before = try FolderContents.of(lab.folder)
                let result = try await lab.salvor("rescue", "web-01", "--inventory", lab.inventory.string, "--dry-run")
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.output.contains(machine.disk.string) && result.output.contains("Nothing was done."))
                #expect(try FolderContents.of(lab.folder) == before)
                #expect(lab.leftovers() == [])
            }
        }

        @Test("A command that ends before it knows whether KVM works leaves no probe of it behind")
        func unfinishedProbe() async throws {
            try await Lab.run { lab in
                _ = try await labMachine(lab)
                // A cache with the image and without an answer.
                let cache = lab.folder.appending("cache").appending("salvor")
                try Posix.makeDirectories(cache)
                try Posix.replaceSymlink(
                    cache.appending("images"), target: ImageBuilder.defaultCacheDirectory.appending("images").string)
                let result = try await lab.salvor(
                    "rescue", "web-01", "--inventory", lab.inventory.string, "--dry-run",
                    environment: ["XDG_CACHE_HOME": cache.removingLastComponent().string])
                #expect(result.status == 0, "\(result.errors)\(result.output)")
                #expect(lab.leftovers() == [])
            }
        }

        @Test("Where nobody can be asked, the answer is no: 16, and the copy goes")
        func declined() async throws {
            try await Lab.run { lab in
                let machine = try await lab.add(
                    "web-01",
                    BrokenWindows {
                        $0.sizeBytes = 96 << 20; $0.otherFiles = 10
                    })
                let result = try await lab.rescue(["web-01"], extra: [])
                #expect(result.status == 16, "\(result.errors)")
                #expect(try RunAnswer(result).kinds == ["web-01": "declined"])
                #expect(result.errors.contains(ChannelFile.faulty), "the question names what would be deleted")
                #expect(try machine.diskIsUnchanged)
                #expect(try machine.currentDefinition == machine.definitionText)
                #expect(try lab.copies(of: machine) == [])
                #expect(lab.leftovers() == [])
            }
        }
    }
}
