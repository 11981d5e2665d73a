import Foundation

/// A folder that goes with the test that made it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        // The crash matrix opens some hundred journals, each of which waits for its disk at every step: in memory where
        // there is such a place.
        let memory = "/dev/shm"
        let base =
            FileManager.default.isWritableFile(atPath: memory)
            ? URL(fileURLWithPath: memory) : FileManager.default.temporaryDirectory
        let url = base.appendingPathComponent("salvor-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
}
