enum SalvorAgentCorePlaceholder {}
