package dev.millrace.server;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import org.jspecify.annotations.NullMarked;

/** The borders between our packages. */
@AnalyzeClasses(packages = "dev.millrace", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String ENGINE = "dev.millrace.engine..";
  private static final String HUB = "dev.millrace.engine.hub..";
  private static final String SPI = "dev.millrace.spi..";
  private static final String SERVER = "dev.millrace.server..";

  @ArchTest
  static final ArchRule pluginsNeedTheJdkOnly =
      classes()
          .that()
          .resideInAPackage(SPI)
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(SPI, "java..", "org.jspecify..");

  @ArchTest
  static final ArchRule engineKnowsNothingOfHttp =
      noClasses()
          .that()
          .resideInAPackage(ENGINE)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              SERVER, "jakarta..", "org.eclipse.jetty..", "org.glassfish..", "io.dropwizard..");

  @ArchTest
  static final ArchRule templatesAreALibraryOfTheirOwn =
      noClasses()
          .that()
          .resideInAPackage("dev.millrace.engine.text.jinja..")
          .should()
          .dependOnClassesThat(
              resideInAnyPackage("dev.millrace..")
                  .and(not(resideInAnyPackage("dev.millrace.engine.text.jinja.."))));

  @ArchTest
  static final ArchRule theHubIsALibraryOfItsOwn =
      noClasses()
          .that()
          .resideInAPackage(HUB)
          .should()
          .dependOnClassesThat(
              resideInAnyPackage("dev.millrace..").and(not(resideInAnyPackage(HUB, SPI))));

  @ArchTest
  static final ArchRule theEngineLoadsWhatIsOnTheDisk =
      noClasses()
          .that()
          .resideInAPackage(ENGINE)
          .and()
          .resideOutsideOfPackage(HUB)
          .should()
          .dependOnClassesThat(resideInAnyPackage(HUB));

  @ArchTest
  static final ArchRule partsOfTheEngineHaveNoCycles =
      slices().matching("dev.millrace.engine.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule partsOfTheServerHaveNoCycles =
      slices().matching("dev.millrace.server.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule onlyTheCommandLineTalksToTheTerminal =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("dev.millrace.server.Main")
          .and()
          .resideOutsideOfPackage("dev.millrace.server.bench..")
          .should(ACCESS_STANDARD_STREAMS);

  @ArchTest static final ArchRule oneWayToLog = NO_CLASSES_SHOULD_USE_JAVA_UTIL_LOGGING;

  @ArchTest
  static void nullsAreMarkedEverywhere(JavaClasses all) {
    var unmarked =
        all.stream()
            .map(JavaClass::getPackage)
            .distinct()
            .filter(each -> each.tryGetAnnotationOfType(NullMarked.class).isEmpty())
            .map(each -> each.getName())
            .toList();
    assertEquals(List.of(), unmarked);
  }
}
