import SalvorCoordinatorCore
import SalvorDigest

/// Names derived from run and machine, so that a repeat finds its own work; and the tags that say whose it is.
struct AzureNames: Sendable {
    static let roleTag = "salvor-role"
    static let hostTag = "salvor-host"
    static let imageTag = "salvor-image"

    /// The group of a run's rescue VMs in one region: `salvor-20261122-223015-k3f9-westeurope`.
    static func rescueGroup(run: String, location: String) -> String { "salvor-\(plain(run))-\(plain(location))" }

    /// `salvor-rescue-1`.
    static func host(_ name: HostName) -> String { "salvor-\(name.host)" }

    /// Name of a repair copy: begins as the original disk's, at most 80 characters, distinct for each run and machine.
    static func copy(_ copy: CopyName, original: String) -> String {
        let mark = "-salvor-\(digest([copy.run, copy.machine]))"
        return plain(String(original.prefix(80 - mark.utf8.count))) + mark
    }

    static func image(_ image: Digest, location: String, zone: String?) -> String {
        "salvor-rescue-\(image.hex.prefix(16))-\(plain(location))\(zone.map { "-z\($0)" } ?? "")"
    }

    static let imageGroup = "salvor-images"

    static func deployment(_ name: HostName) -> String { "salvor-\(plain(name.run))-\(name.number)".prefixed(64) }

    /// Letters, digits, `-`, `_`: what every kind of name allows.
    private static func plain(_ text: String) -> String {
        String(
            text.map { character in
                character.isASCII && (character.isLetter || character.isNumber) || character == "-" || character == "_"
                    ? character : "-"
            })
    }

    private static func digest(_ parts: [String]) -> String {
        // Lengths first, so that no two lists of parts read alike.
        let text = parts.map { "\($0.utf8.count):\($0)" }.joined()
        return String(SHA256.digest(of: Array(text.utf8)).hex.prefix(12))
    }
}

extension String {
    fileprivate func prefixed(_ count: Int) -> String { String(prefix(count)) }
}
