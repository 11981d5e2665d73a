import SalvorCoordinatorCore
import SalvorQEMU
internal import SalvorJSON
import SystemPackage

/// The folder in which the provider finds its own work again: `runs/RUN/copies/MACHINE`, `runs/RUN/hosts/HOST/` and
/// `boots/MACHINE/`.
struct LocalState: Sendable {
    let folder: FilePath

    func run(_ run: String) -> FilePath { folder.appending("runs").appending(LocalNames.component(run)) }

    func copies(ofRun run: String) -> FilePath { self.run(run).appending("copies") }

    func hosts(ofRun run: String) -> FilePath { self.run(run).appending("hosts") }

    func host(_ name: HostName) -> MachineFolder { MachineFolder(hosts(ofRun: name.run).appending(name.host)) }

    func boot(_ machine: String) -> MachineFolder {
        MachineFolder(folder.appending("boots").appending(LocalNames.component(machine)))
    }

    private func record(_ name: CopyName) -> FilePath {
        copies(ofRun: name.run).appending(LocalNames.component(name.machine))
    }

    /// Written before a copy is made, so that none exists that is not on record. Blocks, as all below do.
    func write(_ copy: CopyRecord) throws(QEMUError) {
        try PosixFile.makeFolder(copies(ofRun: copy.name.run))
        try PosixFile.writeAtomically(copy.json.text.utf8, to: record(copy.name))
    }

    func read(_ name: CopyName) -> CopyRecord? {
        guard let bytes = try? PosixFile.read(record(name)), let json = try? JSONValue.parse(bytes) else { return nil }
        return CopyRecord(json)
    }

    func copyRecords(ofRun run: String) -> [CopyRecord] {
        let folder = copies(ofRun: run)
        return PosixFile.names(in: folder).filter { !$0.hasPrefix(".") }.compactMap { name in
            guard let bytes = try? PosixFile.read(folder.appending(name)), let json = try? JSONValue.parse(bytes) else {
                return nil
            }
            return CopyRecord(json)
        }
    }

    func forget(_ name: CopyName) throws(QEMUError) {
        try PosixFile.remove(record(name))
        removeEmptyFolders(ofRun: name.run)
    }

    /// A run that has left nothing leaves no folder either.
    func removeEmptyFolders(ofRun run: String) {
        for path in [copies(ofRun: run), hosts(ofRun: run), self.run(run)] where PosixFile.names(in: path).isEmpty {
            _ = try? PosixFile.removeFolder(path)
        }
    }
}

/// What is on record of a repair copy.
struct CopyRecord: Hashable, Sendable {
    var name: CopyName
    var file: FilePath
    var format: MachineDisk.Format
    var original: FilePath
    var dependsOnOriginal: Bool

    init(name: CopyName, file: FilePath, format: MachineDisk.Format, original: FilePath, dependsOnOriginal: Bool) {
        self.name = name
        self.file = file
        self.format = format
        self.original = original
        self.dependsOnOriginal = dependsOnOriginal
    }

    init?(_ json: JSONValue) {
        guard let run = json["run"]?.string, let machine = json["machine"]?.string, let file = json["file"]?.string,
            let format = json["format"]?.string.flatMap(MachineDisk.Format.init(rawValue:)),
            let original = json["original"]?.string, let depends = json["depends_on_original"]?.bool
        else { return nil }
        self.init(
            name: CopyName(run: run, machine: machine), file: FilePath(file), format: format,
            original: FilePath(original), dependsOnOriginal: depends)
    }

    var json: JSONValue {
        [
            "run": .string(name.run), "machine": .string(name.machine), "file": .string(file.string),
            "format": .string(format.rawValue), "original": .string(original.string),
            "depends_on_original": .bool(dependsOnOriginal),
        ]
    }
}
