extension CoordinatorError {
    init(recipe mistake: YAMLMistake) {
        self.init(
            .invalidRecipe, "The recipe has a mistake: \(mistake)",
            nextStep: "Mend that line and repeat the command. Nothing was changed.")
    }
}
