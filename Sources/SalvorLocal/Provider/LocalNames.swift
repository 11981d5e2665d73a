import SalvorCoordinatorCore
import SalvorDigest
import SalvorQEMU
import SystemPackage

/// Names derived from run and machine, so that whoever comes again finds what was made before.
enum LocalNames {
    /// Serial of a repair copy's virtual disk: 20 characters, which is all that a guest sees.
    static func serial(of copy: CopyName) -> String { "slv-" + digest([copy.run, copy.machine]) }

    /// The file of a repair copy, beside the original.
    static func copyFile(
        _ copy: CopyName, original: FilePath, format: MachineDisk.Format
    ) -> FilePath {
        let stem = original.stem ?? "disk"
        return original.removingLastComponent()
            .appending("\(stem.prefix(80)).salvor-\(component(copy.run))-\(component(copy.machine)).\(format.rawValue)")
    }

    /// One path component that no stranger's name escapes.
    static func component(_ name: String) -> String {
        let isPlain =
            !name.isEmpty && name.utf8.count <= 64 && name.first != "."
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
        // The tilde, which no plain name has, keeps made names apart from given ones.
        return isPlain ? name : "~" + digest([name])
    }

    private static func digest(_ parts: [String]) -> String {
        // Lengths first, so that no two lists of parts read alike.
        let text = parts.map { "\($0.utf8.count):\($0)" }.joined()
        return String(SHA256.digest(of: Array(text.utf8)).hex.prefix(16))
    }
}
