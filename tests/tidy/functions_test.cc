#include "functions.hpp"

#include <gtest/gtest.h>

namespace tidy {
namespace {

/// "name:first line+lines" of every function found.
std::string found(std::string_view text) {
  std::string all;
  for (const Function& function : functions(text)) {
    all += function.name + ":" + std::to_string(function.first_line) + "+" + std::to_string(function.lines) + " ";
  }
  return all;
}

TEST(Functions, AreFoundInNamespacesAndClasses) {
  EXPECT_EQ(found("namespace a {\nint f() {\n  return 1;\n}\n}\n"), "int f:2+3 ");
  EXPECT_EQ(found("class A : public B<int> {\n public:\n  void g(int x) const { x; }\n};\n"), "void g:3+1 ");
  EXPECT_EQ(found("struct stat h() {\n}\n"), "struct stat h:1+2 ");
}

TEST(Functions, TheSignatureCounts) {
  EXPECT_EQ(found("int f(int a,\n      int b) {\n  return a;\n}\n"), "int f:1+4 ");
}

TEST(Functions, InnerBracesAndLambdasBelongToTheFunction) {
  EXPECT_EQ(found("void f() {\n  if (x) {\n  }\n  auto g = [](int a) {\n  };\n}\nvoid h() {}\n"),
            "void f:1+6 void h:7+1 ");
}

TEST(Functions, ConstructorsWithBracedMembers) {
  EXPECT_EQ(found("A::A(int x) : a_{x}, b_{2} {\n  go();\n}\n"), "A::A:1+3 ");
}

TEST(Functions, InitialisersAreNotFunctions) {
  EXPECT_EQ(found("const int kAll[] = {\n  1,\n};\nstruct A {\n  int x{3};\n  int y = f();\n};\nint f() {\n}\n"),
            "int f:8+2 ");
}

TEST(Functions, BracesInTextDoNotCount) {
  EXPECT_EQ(
      found("void f() {\n  // {\n  g(\"{\", '{', R\"x({\"{)x\");\n  int n = 1'000;\n}\n#define X {\nvoid h() {\n}\n"),
      "void f:1+5 void h:7+2 ");
}

}  // namespace
}  // namespace tidy
