import SalvorCoordinatorCore
import SalvorQEMU
import SystemPackage

/// One inventory file, read whole and rewritten whole: a crash leaves the old text or the new.
struct DefinitionFile {
    let path: FilePath
    /// Far beyond any machine's definition.
    private static let longest = 1 << 20

    func read() throws(YAMLMistake) -> MachineDefinition {
        try DefinitionReader.read(text: try text(), file: path)
    }

    func text() throws(YAMLMistake) -> String {
        let bytes: [UInt8]
        do {
            bytes = try PosixFile.read(path, limit: Self.longest)
        } catch {
            throw YAMLMistake(file: path.string, line: 1, column: 1, found: "\(error)", expected: "a readable file")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw YAMLMistake(
                file: path.string, line: 1, column: 1, found: "bytes that are not UTF-8", expected: "YAML in UTF-8")
        }
        return text
    }

    /// Changes disk and original disk, and nothing else, keeping the operator's comments and order.
    /// - Throws: what stands in the way; then the file is as it was.
    func replaceDisk(
        with disk: MachineDefinition.Disk, original: MachineDefinition.OriginalDisk?
    ) throws {
        let old = try text()
        var wanted = try DefinitionReader.read(text: old, file: path)
        wanted.disk = disk
        wanted.originalDisk = original
        let new = try DefinitionEdit(file: path).replacingDisk(in: old, with: disk, original: original, wanted: wanted)
        let mode = try permissions()
        try PosixFile.writeAtomically(new.utf8, to: path, mode: mode)
    }

    /// The operator's own permissions survive the rewrite.
    private func permissions() throws -> FilePermissions {
        FilePermissions(rawValue: try FileStatus(of: path).mode & 0o777)
    }
}
