import Foundation
import SalvorDigest
import Testing

@Suite struct GeneratedCodeTests {
    /// The checkout's root, from this file's place in it.
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func `The committed Swift was generated from the committed proto files, and nobody has edited either since`()
        throws
    {
        let generated = root.appending(path: "Sources/SalvorMessages/Generated")
        let sums = try String(contentsOf: generated.appending(path: "SHA256SUMS"), encoding: .utf8)
        var recorded: [String: String] = [:]
        for line in sums.split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 1)
            recorded[fields[1].trimmingCharacters(in: .whitespaces)] = String(fields[0])
        }
        #expect(!recorded.isEmpty)

        var present: Set<String> = []
        for (folder, suffix) in [("Protocol/salvor/v1", ".proto"), ("Sources/SalvorMessages/Generated", ".swift")] {
            for name in try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
            where name.hasSuffix(suffix) {
                present.insert("\(folder)/\(name)")
            }
        }
        #expect(present == Set(recorded.keys), "run `make generate`")
        for (path, digest) in recorded {
            let actual = try SHA256.digest(ofFile: root.appending(path: path).path)
            #expect(actual.hex == digest, "\(path) is not what was generated: run `make generate`")
        }
    }
}
