package import SystemPackage

/// The files of unpacked packages, as one tree in which `/bin`, `/sbin`, `/lib` and `/lib64` are those of `/usr`.
package struct PackageTree: Sendable {
    /// Where each path of the tree lies on this machine.
    private var files: [String: FilePath] = [:]

    package static let mergedFolders: Set<Substring> = ["bin", "sbin", "lib", "lib64"]

    /// - Parameter roots: the folders that packages were unpacked into.
    package init(roots: [FilePath]) throws(ImageError) {
        for root in roots { try index(root, below: "") }
    }

    private mutating func index(_ directory: FilePath, below path: String) throws(ImageError) {
        for name in try Posix.names(in: directory) {
            let host = directory.appending(name)
            if Posix.kind(host) == .directory {
                try index(host, below: "\(path)/\(name)")
            } else {
                files[Self.merged("\(path)/\(name)")] = host
            }
        }
    }

    /// All paths, with the merged folders under `/usr`, in no order.
    package var paths: some Collection<String> { files.keys }

    package static func merged(_ path: String) -> String {
        var components: [Substring] = []
        for component in path.split(separator: "/") where component != "." {
            if component == ".." { _ = components.popLast() } else { components.append(component) }
        }
        if let first = components.first, mergedFolders.contains(first) { components.insert("usr", at: 0) }
        return "/" + components.joined(separator: "/")
    }

    /// The file at `path`, symlinks followed inside the tree.
    package func file(_ path: String) -> FilePath? {
        var path = Self.merged(path)
        for _ in 0..<16 {
            guard let host = files[path] else { return nil }
            guard Posix.kind(host) == .symlink else { return host }
            guard let target = try? Posix.destination(ofSymlink: host) else { return nil }
            let parent = path.split(separator: "/").dropLast().joined(separator: "/")
            path = Self.merged(target.hasPrefix("/") ? target : "/\(parent)/\(target)")
        }
        return nil
    }
}
