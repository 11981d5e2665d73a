internal import FoundationEssentials
internal import SalvorCoordinatorCore

/// Where the files that come with `salvor` are: its recipes, the rescue image's recipe, the agent, the report template.
///
/// In a checkout they are found from the executable's own place (`.build/release/salvor`); installed, below
/// `../share/salvor` beside it. `SALVOR_SHARE` and `SALVOR_AGENT` name them outright.
struct Installation {
    /// Holds `Agent/` and `Coordinator/`.
    let share: URL
    /// The salvor-agent that goes into the rescue image.
    let agent: URL

    var imageRecipe: URL { share.appending(path: "Agent/image") }
    var recipes: URL { share.appending(path: "Coordinator/recipes") }
    var defaultRecipe: URL { recipes.appending(path: "crowdstrike-291.yaml") }

    static func find(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> Installation {
        let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let folder = executable.deletingLastPathComponent()
        var candidates: [URL] = []
        if let named = environment["SALVOR_SHARE"] { candidates.append(URL(fileURLWithPath: named)) }
        candidates.append(folder.deletingLastPathComponent().appending(path: "share/salvor"))
        var above = folder
        while above.path != "/" {
            candidates.append(above)
            above = above.deletingLastPathComponent()
        }
        let marker = "Coordinator/recipes/crowdstrike-291.yaml"
        guard
            let share = candidates.first(where: {
                FileManager.default.fileExists(atPath: $0.appending(path: marker).path)
            })
        else {
            throw CommandFailure(
                .unexpected,
                "The files that come with salvor (Agent/ and Coordinator/) are not beside \(executable.path).",
                nextStep: "Run it from its checkout, or set SALVOR_SHARE to the folder that holds both.")
        }
        let agent =
            environment["SALVOR_AGENT"].map { URL(fileURLWithPath: $0) } ?? folder.appending(path: "salvor-agent")
        return Installation(share: share, agent: agent)
    }
}
