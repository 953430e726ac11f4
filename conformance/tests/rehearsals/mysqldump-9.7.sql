-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version	9.7.4-2

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;
SET @@SESSION.SQL_LOG_BIN= 0;

--
-- GTID state at the beginning of the backup 
--

SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'd59e1902-e5fd-11f1-aa3e-0242ac110002:1-17';

--
-- Table structure for table `customers`
--

DROP TABLE IF EXISTS `customers`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `customers` (
  `id` int NOT NULL AUTO_INCREMENT,
  `name` varchar(80) NOT NULL,
  `email` varchar(120) DEFAULT NULL,
  `joined` timestamp NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  UNIQUE KEY `email` (`email`)
) ENGINE=InnoDB AUTO_INCREMENT=64 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `customers`
--

LOCK TABLES `customers` WRITE;
/*!40000 ALTER TABLE `customers` DISABLE KEYS */;
INSERT INTO `customers` VALUES (1,'Customer 1','c1@example.org','2026-11-21 22:49:49'),(2,'Customer 2','c2@example.org','2026-11-21 22:49:49'),(3,'Customer 3','c3@example.org','2026-11-21 22:49:49'),(4,'Customer 4','c4@example.org','2026-11-21 22:49:49'),(5,'Customer 5','c5@example.org','2026-11-21 22:49:49'),(6,'Customer 6','c6@example.org','2026-11-21 22:49:49'),(7,'Customer 7','c7@example.org','2026-11-21 22:49:49'),(8,'Customer 8','c8@example.org','2026-11-21 22:49:49'),(9,'Customer 9','c9@example.org','2026-11-21 22:49:49'),(10,'Customer 10','c10@example.org','2026-11-21 22:49:49'),(11,'Customer 11','c11@example.org','2026-11-21 22:49:49'),(12,'Customer 12','c12@example.org','2026-11-21 22:49:49'),(13,'Customer 13','c13@example.org','2026-11-21 22:49:49'),(14,'Customer 14','c14@example.org','2026-11-21 22:49:49'),(15,'Customer 15','c15@example.org','2026-11-21 22:49:49'),(16,'Customer 16','c16@example.org','2026-11-21 22:49:49'),(17,'Customer 17','c17@example.org','2026-11-21 22:49:49'),(18,'Customer 18','c18@example.org','2026-11-21 22:49:49'),(19,'Customer 19','c19@example.org','2026-11-21 22:49:49'),(20,'Customer 20','c20@example.org','2026-11-21 22:49:49'),(21,'Customer 21','c21@example.org','2026-11-21 22:49:49'),(22,'Customer 22','c22@example.org','2026-11-21 22:49:49'),(23,'Customer 23','c23@example.org','2026-11-21 22:49:49'),(24,'Customer 24','c24@example.org','2026-11-21 22:49:49'),(25,'Customer 25','c25@example.org','2026-11-21 22:49:49'),(26,'Customer 26','c26@example.org','2026-11-21 22:49:49'),(27,'Customer 27','c27@example.org','2026-11-21 22:49:49'),(28,'Customer 28','c28@example.org','2026-11-21 22:49:49'),(29,'Customer 29','c29@example.org','2026-11-21 22:49:49'),(30,'Customer 30','c30@example.org','2026-11-21 22:49:49'),(31,'Customer 31','c31@example.org','2026-11-21 22:49:49'),(32,'Customer 32','c32@example.org','2026-11-21 22:49:49'),(33,'Customer 33','c33@example.org','2026-11-21 22:49:49'),(34,'Customer 34','c34@example.org','2026-11-21 22:49:49'),(35,'Customer 35','c35@example.org','2026-11-21 22:49:49'),(36,'Customer 36','c36@example.org','2026-11-21 22:49:49'),(37,'Customer 37','c37@example.org','2026-11-21 22:49:49'),(38,'Customer 38','c38@example.org','2026-11-21 22:49:49'),(39,'Customer 39','c39@example.org','2026-11-21 22:49:49'),(40,'Customer 40','c40@example.org','2026-11-21 22:49:49');
/*!40000 ALTER TABLE `customers` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `items`
--

DROP TABLE IF EXISTS `items`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `items` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `code` varchar(20) NOT NULL,
  `price` decimal(12,4) NOT NULL,
  `kind` enum('a','b') DEFAULT 'a',
  `photo` blob,
  `about` json DEFAULT NULL,
  `gross` decimal(14,4) GENERATED ALWAYS AS ((`price` * 1.19)) STORED,
  PRIMARY KEY (`id`),
  FULLTEXT KEY `words` (`code`)
) ENGINE=InnoDB AUTO_INCREMENT=32 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `items`
--

LOCK TABLES `items` WRITE;
/*!40000 ALTER TABLE `items` DISABLE KEYS */;
INSERT INTO `items` (`id`, `code`, `price`, `kind`, `photo`, `about`) VALUES (1,'AB-1',1.2345,'a',_binary 'kÜ≤sˇ4¸\·ùkÄNˇZ?WG≠§\Í¢/I¿R›∑á[K','{\"n\": 1, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(2,'AB-2',2.4690,'b',_binary '\‘s^:&^\Ó\‡?Yqãõ]úÿ∂\≈ê\⁄:fn\Ï´5','{\"n\": 2, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(3,'AB-3',3.7035,'a',_binary 'N@Öbæ€ã`\Œ¡\ﬁ\œ\„≠∑\"0ñ}\‡d~G)¥ü\Œ','{\"n\": 3, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(4,'AB-4',4.9380,'b',_binary 'K\"ww\‘\›\∆oàOHd¥\—!\”˝2å∞ãU1¸¨⁄øä','{\"n\": 4, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(5,'AB-5',6.1725,'a',_binary '\Ô-}\„{î+™\–aE\ÂKaö\"2{.ªœæ«èUdØ\„ù','{\"n\": 5, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(6,'AB-6',7.4070,'b',_binary '\Á\ˆ¿wnç∑\Õ3TO\◊o}∂8z_¸˚Å\ÊëñÉ','{\"n\": 6, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(7,'AB-7',8.6415,'a',_binary 'yiõ\‰,äéF˚ªEre\Ëk\"\≈jüv%¶\⁄I$Q','{\"n\": 7, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(8,'AB-8',9.8760,'b',_binary ',bB2\Õ\“!wîﬂª1\n\ \0\n\r\ˆ¨ãf∂ñ\Ÿ\o\ﬁ˚d£','{\"n\": 8, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(9,'AB-9',11.1105,'a',_binary 'X\'\ﬁ|\Ì\0ˇ\Â G\Á•g\«k∫\Î´\Â\Ô\˜\√{µ∑','{\"n\": 9, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(10,'AB-10',12.3450,'b',_binary 'JD\‹6B®\Ëê9E\\¡`ÇÅÇ\‚≤OR3≠\ÊØ\’','{\"n\": 10, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(11,'AB-11',13.5795,'a',_binary 'O\»+&Æ\ÀG“ÜåN˚\„X2£\Á\À\Ãl.˚2,\n\Ó∏','{\"n\": 11, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(12,'AB-12',14.8140,'b',_binary 'kQ\‘1\ﬂ]æ\Œ\Ã\˜û\ﬂ=\ÿa√¥üf\Z>Ô¨ª©','{\"n\": 12, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(13,'AB-13',16.0485,'a',_binary '?€£_‹åF)Ü…íº¯uTbW0r©	¡b\˜\‰p\ÂÅ\‚x','{\"n\": 13, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(14,'AB-14',17.2830,'b',_binary 'Ö\'®ë\‚$iPˇ2\ !+Eºì\ˆüªÄ;æ\⁄\≈\'u˘ûa','{\"n\": 14, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(15,'AB-15',18.5175,'a',_binary '\Ê)˙eò\◊2vè|rkKbÖ˘√∏Sê\n©}∑a}ã\€','{\"n\": 15, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(16,'AB-16',19.7520,'b',_binary '±~\ˆ—úz[\Ë;ê|YU&‹±\Î€Ç\'\÷P\’›†©\ÙŒå\Ÿ','{\"n\": 16, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(17,'AB-17',20.9865,'a',_binary 'E#T\ÕH5\Ë[~\Ô‘ôXéˇ\Yöè(;\Êπ\„','{\"n\": 17, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(18,'AB-18',22.2210,'b',_binary 'N\…Yü\¬\—v£Sl.	\ZºÖ\'Y≤UΩhÅ\nB\≈˛\—J','{\"n\": 18, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(19,'AB-19',23.4555,'a',_binary 'î\0\Ò≤µ\'\◊˙=>´∫ìUz\Î\Á¢\ NG˛^L[Lß\˜g','{\"n\": 19, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(20,'AB-20',24.6900,'b',_binary '\ı\ 8\˜H°\÷\Í\˜&∏§/µu\√\«d®3x-\·=¢\Ÿ +','{\"n\": 20, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(21,'AB-21',25.9245,'a',_binary 'oKf_≥†\⁄\Ï\“yù˝lú)î$˝íõ0Å¢¡˚\ÿ\ÙC','{\"n\": 21, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(22,'AB-22',27.1590,'b',_binary 'x_>\«\Î2\Ûê\Õ\œ6W”àµˇBó\Ú˘qo\ˆnõi¿]\›	','{\"n\": 22, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(23,'AB-23',28.3935,'a',_binary 'S_£\r~%›äI\ÒSgysN\»(a\—\⁄PE\◊;AÖ\ÿ\˜ê','{\"n\": 23, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(24,'AB-24',29.6280,'b',_binary '\¬5`i\È\—Áú©$7ÅSœª˚MD±˘ùA¢î˝∂lS\€','{\"n\": 24, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(25,'AB-25',30.8625,'a',_binary '∑•hs\Õw,Dm6õdî0∂Zuk¢xˇóÏÅªoU≤\Á5i','{\"n\": 25, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(26,'AB-26',32.0970,'b',_binary '_úJ∞å¨tW\È\Z0\‰fI `~¢¡°C={Èéó\ÊBD\ ','{\"n\": 26, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(27,'AB-27',33.3315,'a',_binary 'gqÕó@AV\"nPys\Ú´É0\”,©nìΩΩ≥ \ƒ\Z‹Ø','{\"n\": 27, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(28,'AB-28',34.5660,'b',_binary 'Y\·ó\’9\ˆg\¬e<\◊\Îë\…MõU\ÎΩßL\‰\‹cmZ','{\"n\": 28, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(29,'AB-29',35.8005,'a',_binary '5Z™l\¬8ë¥≥\Ûx\≈:°r\Œ`\·%\Ã\>¸˝Æ\ƒX','{\"n\": 29, \"text\": \"tab\\there \\\"q\\\" √§\"}'),(30,'AB-30',37.0350,'b',_binary 'bK`≈åùã˚o\Òàl/\÷“≠\În§\⁄W`h liXŒì\Ù','{\"n\": 30, \"text\": \"tab\\there \\\"q\\\" √§\"}');
/*!40000 ALTER TABLE `items` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `log`
--

DROP TABLE IF EXISTS `log`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `log` (
  `at` datetime(6) DEFAULT NULL,
  `what` text
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `log`
--

LOCK TABLES `log` WRITE;
/*!40000 ALTER TABLE `log` DISABLE KEYS */;
/*!40000 ALTER TABLE `log` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `odd ``name```
--

DROP TABLE IF EXISTS `odd ``name```;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `odd ``name``` (
  `select` int DEFAULT NULL,
  `with space` text,
  `b` bit(4) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `odd ``name```
--

LOCK TABLES `odd ``name``` WRITE;
/*!40000 ALTER TABLE `odd ``name``` DISABLE KEYS */;
INSERT INTO `odd ``name``` VALUES (1,'CREATE DEFINER=`a`@`b`',_binary '\n'),(NULL,NULL,NULL),(1,'CREATE DEFINER=`a`@`b`',_binary '\n');
/*!40000 ALTER TABLE `odd ``name``` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Temporary view structure for view `open_orders`
--

DROP TABLE IF EXISTS `open_orders`;
/*!50001 DROP VIEW IF EXISTS `open_orders`*/;
SET @saved_cs_client     = @@character_set_client;
/*!50503 SET character_set_client = utf8mb4 */;
/*!50001 CREATE VIEW `open_orders` AS SELECT 
 1 AS `id`,
 1 AS `name`,
 1 AS `state`*/;
SET character_set_client = @saved_cs_client;

--
-- Table structure for table `orders`
--

DROP TABLE IF EXISTS `orders`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `orders` (
  `id` int NOT NULL AUTO_INCREMENT,
  `customer` int NOT NULL,
  `state` enum('new','paid','sent') NOT NULL DEFAULT 'new',
  `placed` date DEFAULT NULL,
  `note` varchar(40) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `by_state` (`state`),
  KEY `of_customer` (`customer`),
  CONSTRAINT `of_customer` FOREIGN KEY (`customer`) REFERENCES `customers` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=64 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `orders`
--

LOCK TABLES `orders` WRITE;
/*!40000 ALTER TABLE `orders` DISABLE KEYS */;
INSERT INTO `orders` VALUES (1,2,'paid','2026-01-02','note\n\\1'),(2,3,'sent','2026-01-03','note\n\\2'),(3,4,'new','2026-01-04','note\n\\3'),(4,5,'paid','2026-01-05','note\n\\4'),(5,6,'sent','2026-01-06',NULL),(6,7,'new','2026-01-07','note\n\\6'),(7,8,'paid','2026-01-08',''),(8,9,'sent','2026-01-09','note\n\\8'),(9,10,'new','2026-01-10','note\n\\9'),(10,11,'paid','2026-01-11',NULL),(11,12,'sent','2026-01-12','note\n\\11'),(12,13,'new','2026-01-13','note\n\\12'),(13,14,'paid','2026-01-14','note\n\\13'),(14,15,'sent','2026-01-15',''),(15,16,'new','2026-01-16',NULL),(16,17,'paid','2026-01-17','note\n\\16'),(17,18,'sent','2026-01-18','note\n\\17'),(18,19,'new','2026-01-19','note\n\\18'),(19,20,'paid','2026-01-20','note\n\\19'),(20,21,'sent','2026-01-21',NULL),(21,22,'new','2026-01-22',''),(22,23,'paid','2026-01-23','note\n\\22'),(23,24,'sent','2026-01-24','note\n\\23'),(24,25,'new','2026-01-25','note\n\\24'),(25,26,'paid','2026-01-26',NULL),(26,27,'sent','2026-01-27','note\n\\26'),(27,28,'new','2026-01-28','note\n\\27'),(28,29,'paid','2026-01-29',''),(29,30,'sent','2026-01-30','note\n\\29'),(30,31,'new','2026-01-31',NULL),(31,32,'paid','2026-02-01','note\n\\31'),(32,33,'sent','2026-02-02','note\n\\32'),(33,34,'new','2026-02-03','note\n\\33'),(34,35,'paid','2026-02-04','note\n\\34'),(35,36,'sent','2026-02-05',NULL),(36,37,'new','2026-02-06','note\n\\36'),(37,38,'paid','2026-02-07','note\n\\37'),(38,39,'sent','2026-02-08','note\n\\38'),(39,40,'new','2026-02-09','note\n\\39'),(40,1,'paid','2026-02-10',NULL),(41,2,'sent','2026-02-11','note\n\\41'),(42,3,'new','2026-02-12',''),(43,4,'paid','2026-02-13','note\n\\43'),(44,5,'sent','2026-02-14','note\n\\44'),(45,6,'new','2026-02-15',NULL),(46,7,'paid','2026-02-16','note\n\\46'),(47,8,'sent','2026-02-17','note\n\\47'),(48,9,'new','2026-02-18','note\n\\48'),(49,10,'paid','2026-02-19',''),(50,11,'sent','2026-02-20',NULL),(51,12,'new','2026-02-21','note\n\\51'),(52,13,'paid','2026-02-22','note\n\\52'),(53,14,'sent','2026-02-23','note\n\\53'),(54,15,'new','2026-02-24','note\n\\54'),(55,16,'paid','2026-02-25',NULL),(56,17,'sent','2026-02-26',''),(57,18,'new','2026-02-27','note\n\\57'),(58,19,'paid','2026-02-28','note\n\\58'),(59,20,'sent','2026-03-01','note\n\\59'),(60,21,'new','2026-03-02',NULL);
/*!40000 ALTER TABLE `orders` ENABLE KEYS */;
UNLOCK TABLES;
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
/*!50003 SET @saved_cs_results     = @@character_set_results */ ;
/*!50003 SET @saved_col_connection = @@collation_connection */ ;
/*!50003 SET character_set_client  = utf8mb4 */ ;
/*!50003 SET character_set_results = utf8mb4 */ ;
/*!50003 SET collation_connection  = utf8mb4_0900_ai_ci */ ;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`shop`@`localhost`*/ /*!50003 TRIGGER `orders_log` AFTER UPDATE ON `orders` FOR EACH ROW begin insert into log values (now(6), concat('updated;', old.id)); end */;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50003 SET character_set_client  = @saved_cs_client */ ;
/*!50003 SET character_set_results = @saved_cs_results */ ;
/*!50003 SET collation_connection  = @saved_col_connection */ ;

--
-- Dumping events for database 'shop'
--
/*!50106 SET @save_time_zone= @@TIME_ZONE */ ;
/*!50106 DROP EVENT IF EXISTS `tidy_up` */;
DELIMITER ;;
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;;
/*!50003 SET @saved_cs_results     = @@character_set_results */ ;;
/*!50003 SET @saved_col_connection = @@collation_connection */ ;;
/*!50003 SET character_set_client  = utf8mb4 */ ;;
/*!50003 SET character_set_results = utf8mb4 */ ;;
/*!50003 SET collation_connection  = utf8mb4_0900_ai_ci */ ;;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;;
/*!50003 SET sql_mode              = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION' */ ;;
/*!50003 SET @saved_time_zone      = @@time_zone */ ;;
/*!50003 SET time_zone             = 'SYSTEM' */ ;;
/*!50106 CREATE*/ /*!50117 DEFINER=`shop`@`localhost`*/ /*!50106 EVENT `tidy_up` ON SCHEDULE EVERY 1 DAY STARTS '2026-11-21 22:49:49' ON COMPLETION NOT PRESERVE ENABLE DO call tidy(7) */ ;;
/*!50003 SET time_zone             = @saved_time_zone */ ;;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;;
/*!50003 SET character_set_client  = @saved_cs_client */ ;;
/*!50003 SET character_set_results = @saved_cs_results */ ;;
/*!50003 SET collation_connection  = @saved_col_connection */ ;;
DELIMITER ;
/*!50106 SET TIME_ZONE= @save_time_zone */ ;

--
-- Dumping routines for database 'shop'
--
/*!50003 DROP FUNCTION IF EXISTS `total` */;
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
/*!50003 SET @saved_cs_results     = @@character_set_results */ ;
/*!50003 SET @saved_col_connection = @@collation_connection */ ;
/*!50003 SET character_set_client  = utf8mb4 */ ;
/*!50003 SET character_set_results = utf8mb4 */ ;
/*!50003 SET collation_connection  = utf8mb4_0900_ai_ci */ ;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION' */ ;
DELIMITER ;;
CREATE DEFINER=`shop`@`localhost` FUNCTION `total`(o int) RETURNS int
    READS SQL DATA
begin declare n int; select count(*) into n from orders where customer = o; return n; end ;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50003 SET character_set_client  = @saved_cs_client */ ;
/*!50003 SET character_set_results = @saved_cs_results */ ;
/*!50003 SET collation_connection  = @saved_col_connection */ ;
/*!50003 DROP PROCEDURE IF EXISTS `tidy` */;
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
/*!50003 SET @saved_cs_results     = @@character_set_results */ ;
/*!50003 SET @saved_col_connection = @@collation_connection */ ;
/*!50003 SET character_set_client  = utf8mb4 */ ;
/*!50003 SET character_set_results = utf8mb4 */ ;
/*!50003 SET collation_connection  = utf8mb4_0900_ai_ci */ ;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION' */ ;
DELIMITER ;;
CREATE DEFINER=`shop`@`localhost` PROCEDURE `tidy`(days int)
begin delete from log where at < now() - interval days day; end ;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50003 SET character_set_client  = @saved_cs_client */ ;
/*!50003 SET character_set_results = @saved_cs_results */ ;
/*!50003 SET collation_connection  = @saved_col_connection */ ;

--
-- Final view structure for view `open_orders`
--

/*!50001 DROP VIEW IF EXISTS `open_orders`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_0900_ai_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `open_orders` AS select `o`.`id` AS `id`,`c`.`name` AS `name`,`o`.`state` AS `state` from (`orders` `o` join `customers` `c` on((`c`.`id` = `o`.`customer`))) where (`o`.`state` <> 'sent') */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;
SET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2026-11-21 22:49:50
