internal import ArgumentParser
internal import SalvorAudit
internal import SalvorCoordinatorCore

/// What the operator agrees to.
struct ConsentOptions: ParsableArguments {
    private static let otherComputerName = "other-computer-name"

    @Option(
        help: ArgumentHelp(
            "Agree to what no recipe decides on. discard-hibernation: give up a hibernated session, or the one that Fast "
                + "Startup kept, with what its programs had not saved. older-registry: put the backup in RegBack in a "
                + "damaged hive's place, and lose what was registered since. other-computer-name: repair a disk whose "
                + "Windows is called otherwise than the machine. Or what a recipe of yours asks for. Can be given several "
                + "times.",
            valueName: "what"))
    var consent: [String] = []

    /// - Throws: ``CoordinatorError/Code/invalidRecipe`` for a consent that nothing asks for, and for one that the recipe needs and is not given.
    func grant(_ recipe: Recipe) throws(CoordinatorError) -> Recipe {
        var recipe = recipe
        for name in consent where name != Self.otherComputerName {
            if let known = Recipe.Consent(rawValue: name) {
                recipe.granted.insert(known)
            } else if recipe.ownConsents[name] == nil {
                let known =
                    Recipe.Consent.allCases.map(\.rawValue) + [Self.otherComputerName]
                    + recipe.ownConsents.keys.sorted()
                throw CoordinatorError(
                    .invalidRecipe, "Nothing asks for the consent “\(printable(name))”. Nothing was changed.",
                    nextStep: "With the recipe \(recipe.name), --consent takes \(known.joined(separator: ", ")).")
            }
        }
        for (name, loss) in recipe.ownConsents.sorted(by: { $0.key < $1.key }) where !consent.contains(name) {
            throw CoordinatorError(
                .invalidRecipe,
                "The recipe \(recipe.name) is used only by who agrees to this: \(printable(loss)). Nothing was changed.",
                nextStep: "Where that is right, say --consent \(name).")
        }
        return recipe
    }

    func configure(_ configuration: inout RunConfiguration) {
        configuration.acceptsOtherComputerName = consent.contains(Self.otherComputerName)
    }
}
