import SalvorDigest
import SalvorImage
import SystemPackage

/// Everything in a folder, by path: to see what a command has changed.
enum FolderContents {
    static func of(_ folder: FilePath) throws -> [String: String] {
        var contents: [String: String] = [:]
        for path in try files(in: folder, withFolders: true) {
            let kind = Posix.kind(path)
            contents[path.string] =
                switch kind {
                case .file: try SHA256.digest(ofFile: path.string).hex
                case .symlink: "-> " + (try Posix.destination(ofSymlink: path))
                default: "\(kind.map { "\($0)" } ?? "gone")"
                }
        }
        return contents
    }

    /// The plain files below a folder, however deep.
    static func files(in folder: FilePath, withFolders: Bool = false) throws -> [FilePath] {
        guard Posix.kind(folder) == .directory else { return [] }
        var found: [FilePath] = []
        for name in try Posix.names(in: folder) {
            let path = folder.appending(name)
            if Posix.kind(path) == .directory {
                if withFolders { found.append(path) }
                found += try files(in: path, withFolders: withFolders)
            } else if withFolders || Posix.kind(path) == .file {
                found.append(path)
            }
        }
        return found
    }
}
