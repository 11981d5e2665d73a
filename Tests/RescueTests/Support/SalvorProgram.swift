import Fixtures
import SalvorImage
import SystemPackage

/// Where the `salvor` is that is tested: `$SALVOR_BINARY`, or the optimised one of this checkout.
enum SalvorProgram {
    /// - Throws: where there is none. A test without it has shown nothing, so it fails.
    static func find() throws -> FilePath {
        let program = Posix.environment("SALVOR_BINARY").map { FilePath($0) } ?? built
        guard Posix.isExecutableFile(program) else {
            throw FixtureError("there is no \(program): run `make build image` first")
        }
        return program
    }

    /// The checkout.
    static var root: FilePath {
        // Tests/RescueTests/Support/SalvorProgram.swift
        var root = FilePath(#filePath)
        for _ in 0..<4 { root.removeLastComponent() }
        return root
    }

    private static var built: FilePath { root.appending(".build").appending("release").appending("salvor") }
}
