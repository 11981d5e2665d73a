internal import ArgumentParser
internal import SalvorCoordinatorCore

/// What the operator agrees to.
struct ConsentOptions: ParsableArguments {
    enum Consent: String, ExpressibleByArgument, CaseIterable {
        case discardHibernation = "discard-hibernation"
        case otherComputerName = "other-computer-name"
    }

    @Option(
        help: ArgumentHelp(
            "Agree to what no recipe decides on. discard-hibernation: give up a hibernated session, or the one that Fast "
                + "Startup kept, with what its programs had not saved. other-computer-name: repair a disk whose Windows is "
                + "called otherwise than the machine. Can be given several times.",
            valueName: "what"))
    var consent: [Consent] = []

    func grant(_ recipe: Recipe) -> Recipe {
        var recipe = recipe
        if consent.contains(.discardHibernation) { recipe.granted.insert(.discardHibernation) }
        return recipe
    }

    func configure(_ configuration: inout RunConfiguration) {
        configuration.acceptsOtherComputerName = consent.contains(.otherComputerName)
    }
}
