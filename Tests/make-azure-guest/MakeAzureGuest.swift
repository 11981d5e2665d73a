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

    @Flag(help: "As a fixed VHD, which is what Azure takes.")
    var vhd = false

    @Option(help: "Where packages and images are kept between runs.")
    var cache: String?

    func run() async throws {
        let cache = try cache.map { try Posix.absolute(FilePath($0)) } ?? ImageBuilder.defaultCacheDirectory
        let guest = try await AzureGuest(cacheDirectory: cache) { print("guest: \($0)") }
        try await guest.makeDisk(at: try Posix.absolute(FilePath(path)), marker: marker, vhd: vhd)
    }
}
