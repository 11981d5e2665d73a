enum SalvorLocalTestsPlaceholder {}
