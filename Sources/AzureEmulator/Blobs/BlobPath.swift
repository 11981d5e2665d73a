/// Where the bytes of a disk are to be had by its shared access signature: `/md-{content}/{container}/abcd`, path-style, as
/// storage's clients take it from a host that is `localhost`.
enum BlobPath {
    private static let container = "disk"
    private static let prefix = "md-"

    /// - Parameter base: scheme, host and port.
    static func address(of content: String, at base: String) -> String {
        "\(base)/\(prefix)\(content)/\(container)/abcd"
    }

    /// The content that a path's segments name.
    static func content(_ segments: [String]) -> String? {
        guard segments.count == 3, segments[0].hasPrefix(prefix), segments[1] == container else { return nil }
        return String(segments[0].dropFirst(prefix.count))
    }
}
