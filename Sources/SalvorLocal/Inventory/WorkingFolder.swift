import Glibc
import SystemPackage

enum WorkingFolder {
    static var path: FilePath {
        guard let text = getcwd(nil, 0) else { return "/" }
        defer { free(text) }
        return FilePath(platformString: text)
    }
}
