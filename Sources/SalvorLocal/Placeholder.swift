enum SalvorLocalPlaceholder {}
