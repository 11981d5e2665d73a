internal import ArgumentParser
internal import SalvorCoordinatorCore

/// Where keys of encrypted disks come from.
struct KeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Keys of encrypted disks, as CSV or YAML.",
            discussion: """
                Columns: protector (GUID) or machine; recovery_key, password, startup_key (base64) or startup_key_file. \
                Only its owner may be able to read it. Can be given more than once.
                """, valueName: "file"))
    var keys: [String] = []

    @Flag(help: "Ask at the terminal for the keys of encrypted disks, by the GUIDs of their key protectors.")
    var askKeys = false

    var areGiven: Bool { !keys.isEmpty || askKeys }

    /// Files are read before anything is begun.
    func sources(_ renderer: ProgressRenderer) throws -> [any KeySource] {
        var sources: [any KeySource] = []
        for path in keys { sources.append(try KeyFile(path: path)) }
        if askKeys { sources.append(KeyPrompt(renderer: renderer)) }
        return sources
    }
}
