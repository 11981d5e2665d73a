import Fixtures
import SalvorImage
import SystemPackage

/// Gives a test a folder of its own and removes it afterwards.
func withScratch<Value>(_ body: (FilePath) async throws -> Value) async throws -> Value {
    let folder = try Posix.makeTemporaryDirectory(in: "/tmp", prefix: "salvor-test-")
    defer { Posix.removeTree(folder) }
    return try await body(folder)
}

/// The folder of the rescue image's recipe in this checkout.
let rescueRecipe = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
    .appending("Agent").appending("image")

/// A cache of its own that takes packages from the user's, so that tests download nothing twice.
func freshCache(in scratch: FilePath, _ name: String) throws -> FilePath {
    let shared = ImageBuilder.defaultCacheDirectory.appending("packages")
    try Posix.makeDirectories(shared)
    let cache = scratch.appending(name)
    try Posix.makeDirectories(cache)
    try Posix.replaceSymlink(cache.appending("packages"), target: shared.string)
    return cache
}

/// A program of that name in `folder`, for a test that needs one to misbehave.
func makeScript(_ name: String, in folder: FilePath, _ text: String) throws {
    try Posix.makeDirectories(folder)
    try Posix.write(Array("#!/bin/sh\n\(text)\n".utf8), to: folder.appending(name), mode: 0o755)
}

/// The error that `body` ends with.
func imageError(_ body: () async throws -> Void) async throws -> ImageError? {
    do {
        try await body()
        return nil
    } catch let error as ImageError {
        return error
    }
}
