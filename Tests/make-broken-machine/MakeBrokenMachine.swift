import ArgumentParser
import Fixtures
import SalvorImage
import SystemPackage

/// Lays out a folder with a machine that channel file 291 stopped: its disk, a stand-in guest that boots from it, and
/// its entry in an inventory.
@main
struct MakeBrokenMachine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-broken-machine",
        abstract: "Make a broken Windows machine for salvor to rescue.")

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case raw, qcow2
    }

    @Argument(help: "The folder to make it in. A machine of the same name there is replaced.")
    var directory: String

    @Option(help: "The machine's name.")
    var name = "broken-01"

    @Option(help: "Format of its disk: raw or qcow2.")
    var format = Format.raw

    @Option(help: "Files on C: besides those that matter.")
    var files = 3000

    @Option(help: "What all content follows from.")
    var seed: UInt64 = 291

    @Option(help: "Size of the disk in MiB.")
    var sizeMib = 512

    @Option(help: "Where packages and images are kept between runs. [default: DIRECTORY/cache]")
    var cache: String?

    @Flag(help: "Leave only the corrected channel file on it, so that the machine boots.")
    var healthy = false

    func validate() throws {
        let allowed = { (byte: UInt8) in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-")
        }
        guard !name.isEmpty, name.utf8.allSatisfy(allowed) else {
            throw ValidationError("The name \(name) should be made of a-z, 0-9 and hyphens.")
        }
        guard sizeMib >= 128 else { throw ValidationError("The disk needs at least 128 MiB.") }
    }

    func run() async throws {
        let root = try Posix.absolute(FilePath(directory))
        for folder in ["inventory", "disks", "guest"] { try Posix.makeDirectories(root.appending(folder)) }

        let image = try await StandInGuest.image(
            cacheDirectory: try cache.map { try Posix.absolute(FilePath($0)) } ?? root.appending("cache")
        ) { print("guest: \($0)") }
        try replace(root.appending("guest").appending("vmlinuz"), with: try Posix.read(image.kernel))
        try replace(root.appending("guest").appending("initramfs.cpio"), with: try Posix.read(image.initramfs))

        let machine = BrokenWindows {
            $0.seed = seed
            $0.sizeBytes = sizeMib << 20
            $0.otherFiles = files
            $0.channelFiles = healthy ? .onlyCorrected : .faultyAndCorrected
        }
        print("disk: \(files) files and the ones that matter")
        let disk = root.appending("disks").appending("\(name).\(format.rawValue)")
        Posix.removeTree(disk)
        let maker = DiskMaker()
        switch format {
        case .raw: try await maker.make(machine.disk, at: disk)
        case .qcow2:
            let raw = FilePath(disk.string + ".raw")
            Posix.removeTree(raw)
            defer { Posix.removeTree(raw) }
            try await maker.make(machine.disk, at: raw)
            try await maker.convert(raw, to: disk, format: "qcow2")
        }
        try replace(root.appending("inventory").appending("\(name).yaml"), with: Array(inventory.utf8))
        print("made \(disk) and \(root.appending("inventory").appending("\(name).yaml"))")
    }

    private var inventory: String {
        """
        name: \(name)
        disk:
          path: ../disks/\(name).\(format.rawValue)
          format: \(format.rawValue)
        firmware: direct
        direct:
          kernel: ../guest/vmlinuz
          initramfs: ../guest/initramfs.cpio
          append: "\(StandInGuest.commandLine)"
        memory_mib: 512
        cpus: 2
        boot_probe:
          serial: "\(StandInGuest.readyLine)"
          timeout_seconds: 120

        """
    }

    private func replace(_ path: FilePath, with bytes: [UInt8]) throws {
        Posix.removeTree(path)
        try Posix.write(bytes, to: path)
    }
}
