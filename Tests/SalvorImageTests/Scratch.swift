import SalvorImage
import SystemPackage

/// Gives a test a folder of its own and removes it afterwards.
func withScratch<Value>(_ body: (FilePath) async throws -> Value) async throws -> Value {
    let folder = try Posix.makeTemporaryDirectory(in: "/tmp", prefix: "salvor-test-")
    defer { Posix.removeTree(folder) }
    return try await body(folder)
}
