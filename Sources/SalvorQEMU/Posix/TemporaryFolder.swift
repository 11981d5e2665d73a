import Glibc
package import SystemPackage

package enum TemporaryFolder {
    /// A new folder for this user alone, below `$TMPDIR` or `/tmp`. Blocks.
    package static func make(prefix: String) throws(QEMUError) -> FilePath {
        let above = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        var template = Array("\(above.isEmpty ? "/tmp" : above)/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw QEMUError(.fileFailed, "No temporary folder can be made.", cause: Errno(rawValue: errno))
        }
        return template.withUnsafeBufferPointer { FilePath(platformString: $0.baseAddress!) }
    }
}
