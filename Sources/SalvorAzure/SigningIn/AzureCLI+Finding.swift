#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif
internal import SalvorSystem
internal import SystemPackage

extension AzureCLI {
    /// The first program of that name in absolute folders: one in the folder that Salvor is run from is nobody's choice.
    static func find(in path: String) async -> FilePath? {
        await Blocking.run {
            for folder in path.split(separator: ":") where folder.hasPrefix("/") {
                let program = FilePath(String(folder)).appending("az")
                var status = stat()
                guard stat(program.string, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                    access(program.string, X_OK) == 0
                else { continue }
                return program
            }
            return nil
        }
    }
}
