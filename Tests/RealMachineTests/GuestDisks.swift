import Fixtures
import SalvorImage
import SalvorQEMU
import SystemPackage

let qemuInstalled = (try? QEMUTools().system()) != nil

/// A folder that is gone when the test is over, and whatever machines were started below it are.
struct Workplace: Sendable {
    let root: FilePath

    static func with(_ body: (Workplace) async throws -> Void) async throws {
        let place = Workplace(root: try TemporaryFolder.make(prefix: "real-machine-"))
        do {
            try await body(place)
        } catch {
            await place.cleanUp()
            throw error
        }
        await place.cleanUp()
    }

    func machine(_ name: String) -> MachineFolder { MachineFolder(root.appending(name)) }

    /// A disk that a guest starts from.
    func guestDisk(_ marker: String, fetching address: String? = nil) async throws -> FilePath {
        let path = root.appending("\(marker).raw")
        try await AzureGuest().makeDisk(at: path, marker: marker, fetching: address)
        return path
    }

    /// A disk that begins with a text.
    func dataDisk(_ text: String, bytes: Int) throws -> FilePath {
        let path = root.appending("\(text).raw")
        try Posix.makePrivateFile(path, bytes: bytes)
        let file = try FileDescriptor.open(path, .writeOnly)
        defer { try? file.close() }
        try file.writeAll(toAbsoluteOffset: 0, text.utf8)
        return path
    }

    private func cleanUp() async {
        for name in (try? Posix.names(in: root)) ?? [] {
            _ = try? await QEMUMachine.end(in: MachineFolder(root.appending(name)))
        }
        Posix.removeTree(root)
    }
}
