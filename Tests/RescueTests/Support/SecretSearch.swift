import FoundationEssentials
import Glibc
import SalvorDigest
import SalvorImage
import SystemPackage

/// Looks for a secret in each of its likely spellings.
struct SecretSearch: Sendable {
    private let needles: [[UInt8]]

    init(_ secret: [UInt8]) {
        let hex = hexadecimal(secret)
        needles = [
            secret, Array(hex.utf8), Array(hex.uppercased().utf8), Array(Data(secret).base64EncodedString().utf8),
        ]
    }

    init(text: String) { needles = [Array(text.utf8)] }

    func finds(in text: String) -> Bool { finds(in: Array(text.utf8)) }

    /// The files below a folder that hold the secret.
    func files(in folder: FilePath, except: Set<FilePath> = []) throws -> [FilePath] {
        try FolderContents.files(in: folder).filter { !except.contains($0) }.filter { finds(in: try Posix.read($0)) }
    }

    private func finds(in bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { hay in
            needles.contains { needle in needle.withUnsafeBytes { Self.contains(hay, $0) } }
        }
    }

    private static func contains(_ hay: UnsafeRawBufferPointer, _ needle: UnsafeRawBufferPointer) -> Bool {
        guard let first = needle.first, let pattern = needle.baseAddress, var place = hay.baseAddress else {
            return false
        }
        let end = place + hay.count
        while place + needle.count <= end, let found = memchr(place, Int32(first), end - place - needle.count + 1) {
            if memcmp(found, pattern, needle.count) == 0 { return true }
            place = UnsafeRawPointer(found) + 1
        }
        return false
    }
}
