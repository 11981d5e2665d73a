import ArgumentParser
import Fixtures
import SalvorImage
import SystemPackage

/// Makes a disk that a machine of the emulated Azure starts from, of either generation.
@main
struct MakeAzureGuest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-azure-guest", abstract: "Make a disk for a machine of the emulated Azure.")

    @Argument(help: "The disk. It must not be there yet.")
    var path: String

    @Option(help: "What the machine prints on its serial port when it was started from this disk.")
    var marker = "guest"

    @Flag(help: "A stand-in for a Windows machine that channel file 291 stopped, instead.")
    var brokenWindows = false

    @Option(help: "With --broken-windows: files on C: besides those that matter.")
    var files = 200

    @Option(help: "With --broken-windows: encrypt C: by BitLocker, and write its startup key here, for you alone.")
    var startupKey: String?

    @Flag(help: "As a fixed VHD, which is what Azure takes.")
    var vhd = false

    @Option(help: "Where packages and images are kept between runs.")
    var cache: String?

    func run() async throws {
        let cache = try cache.map { try Posix.absolute(FilePath($0)) } ?? ImageBuilder.defaultCacheDirectory
        if brokenWindows {
            let windows = try await AzureWindows(cacheDirectory: cache) { print("guest: \($0)") }
            let lock = BitLockerSpec { $0.protectors = [.tpm, .startupKey] }
            let broken = BrokenWindows {
                $0.otherFiles = files
                if startupKey != nil { $0.systemVolume = .encrypted(lock) }
            }
            if let startupKey {
                let file = try FileDescriptor.open(
                    FilePath(startupKey), .writeOnly, options: [.create, .exclusiveCreate],
                    permissions: .ownerReadWrite)
                try file.closeAfter { _ = try file.writeAll(lock.startupKeyFile) }
            }
            return try await windows.makeDisk(
                broken, at: try Posix.absolute(FilePath(path)),
                startupKey: startupKey == nil ? nil : lock.startupKeyFile, vhd: vhd)
        }
        let guest = try await AzureGuest(cacheDirectory: cache) { print("guest: \($0)") }
        try await guest.makeDisk(at: try Posix.absolute(FilePath(path)), marker: marker, vhd: vhd)
    }
}
