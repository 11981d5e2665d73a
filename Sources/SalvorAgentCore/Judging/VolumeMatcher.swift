internal import SalvorMessages

/// Finds what a recipe means on one mounted volume. Blocking.
struct VolumeMatcher: Sendable {
    let recipe: Salvor_V1_Recipe
    /// Where the recipe puts back: the entries of its quarantine.
    let entries: [Salvor_V1_QuarantineEntry]
    let volume: Salvor_V1_Volume

    /// - Returns: nil where no Windows is installed on the volume.
    func systemRoot(_ resolver: inout PathResolver) throws(AgentError) -> [FileName]? {
        volume.isFAT ? nil : try WindowsDetection.systemRoot(&resolver)
    }

    func match(
        _ resolver: inout PathResolver, hasWindows: Bool, stop: StopSignal
    ) throws(AgentError) -> [MatchedFile] {
        guard recipe.putBackFrom.isEmpty else {
            return try PutBackMatcher(
                id: recipe.putBackFrom, entries: entries, volumeNumber: volume.number, stop: stop
            ).match(&resolver)
        }
        return try RuleMatcher(recipe: recipe, volumeNumber: volume.number, stop: stop)
            .match(&resolver, hasWindows ? [.windows, .boot] : [.boot])
    }
}
