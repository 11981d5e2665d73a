internal import ArgumentParser
internal import SalvorCoordinatorCore

extension Recipe.Consent: ExpressibleByArgument {}

/// What the operator agrees to lose.
struct ConsentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Agree to a loss that no recipe decides on: discard-hibernation gives up a hibernated session, or the one that "
                + "Fast Startup kept, with what its programs had not saved. Can be given several times.",
            valueName: "loss"))
    var consent: [Recipe.Consent] = []

    func grant(_ recipe: Recipe) -> Recipe {
        var recipe = recipe
        recipe.granted = Set(consent)
        return recipe
    }
}
